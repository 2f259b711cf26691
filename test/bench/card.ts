// How long a card in Slack takes to show a change in Jira: from the moment the webhook is sent to the moment that Slack
// has the changed card. The bare limit is the settle delay, which no change can be faster than.

import { createHmac } from 'node:crypto';
import { createDb } from '../../prisma/client';
import { createSecretBox, parseEncryptionKeys } from '../../prisma/secret-box';
import { until } from '../support/until';
import { withBoth } from './lives';
import { benchSource, type Clients, createClients, makeFindings } from './support/clients';
import { percentile, rounded } from './support/figures';
import type { Product } from './support/product';
import type { BenchServers } from './support/servers';

const SETTLE_MS = 1000;
const SAMPLES = 30;
const APART_MS = 500;
const AT_ONCE = 10;

type Card = { finding: string; ts: string; jiraKey: string; issueId: string };
type Update = { at: string; ok: boolean; args: { ts?: string; text?: string } };

/** Prints one JSON line, in milliseconds. `timer` is what a timer of the same length takes on the same server. */
export async function runCardBench(servers: BenchServers): Promise<void> {
  await withBoth({ servers, env: { SETTLE_MS: String(SETTLE_MS) } }, async ({ product, bare }) => {
    const clients = createClients(product.local);
    await takeJirasWebhookAway(clients);
    const findings = await makeFindings(clients, product.local, SAMPLES);
    // The findings of a larger push get no cards before something happens to them.
    for (let at = 0; at < SAMPLES; at += AT_ONCE) {
      await clients.api('POST', '/pushes', { source: benchSource, findings: findings.slice(at, at + AT_ONCE) });
    }
    const cards = await until(() => postedCards(product), { seconds: 120, what: 'every card posted' });
    const sendWebhook = await createSender(product);
    const sentAt = new Map<string, number>();
    const timers: Promise<number>[] = [];
    for (const card of cards) {
      await moveToDone(clients, card);
      sentAt.set(card.ts, Date.now());
      await sendWebhook(card);
      await pause(APART_MS / 2);
      timers.push(bare.timer(SETTLE_MS));
      await pause(APART_MS / 2);
    }
    const changed = await until(() => changedCards(product, cards), { seconds: 60, what: 'every card changed' });
    const took = cards.map(({ ts }) => (changed.get(ts) ?? 0) - (sentAt.get(ts) ?? 0));
    print(took, await Promise.all(timers));
  });
}

function print(took: number[], timers: number[]): void {
  const p50 = Math.round(percentile(took, 50));
  const line = {
    bench: 'card',
    value: p50,
    bare: SETTLE_MS,
    ratio: rounded(p50 / SETTLE_MS),
    unit: 'ms',
    p99: Math.round(percentile(took, 99)),
    timer: { p50: Math.round(percentile(timers, 50)), p99: Math.round(percentile(timers, 99)) },
    samples: took.length,
  };
  console.log(JSON.stringify(line));
}

/** The benchmark sends the webhooks itself, to know the moment. */
async function takeJirasWebhookAway({ jira }: Clients): Promise<void> {
  for (const { self } of await jira<{ self: string }[]>('GET', '/rest/webhooks/1.0/webhook')) {
    await jira('DELETE', new URL(self).pathname);
  }
}

async function postedCards({ db }: Product): Promise<Card[] | undefined> {
  const { rows } = await db.query<Card>(
    `select 'F-' || f.number as finding, c.ts, l.jira_key as "jiraKey", l.jira_issue_id as "issueId"
     from card c join finding f on f.id = c.finding_id join issue_link l on l.finding_id = f.id and l.active
     where c.ts is not null and not c.dirty and c.attempts = 0 and f.status = 'awaiting_fix' order by f.number`,
  );
  return rows.length === SAMPLES ? rows : undefined;
}

async function moveToDone({ jira }: Clients, { jiraKey }: Card): Promise<void> {
  type Answer = { transitions: { id: string; to: { name: string } }[] };
  const path = `/rest/api/3/issue/${jiraKey}/transitions`;
  const { transitions } = await jira<Answer>('GET', path);
  const id = transitions.find(({ to }) => to.name === 'Done')?.id;
  await jira('POST', path, { transition: { id } });
}

async function createSender({ local, secrets }: Product): Promise<(card: Card) => Promise<void>> {
  const box = createSecretBox(parseEncryptionKeys(secrets.encryptionKeys));
  const db = createDb({ url: local.databaseUrl, box, poolSize: 1 });
  const secret = (await db.connections.webhookSecret(local.connectionId))?.secret ?? '';
  await db.close();
  const url = `${local.baseUrl}/api/integrations/jira/webhook?integration_id=${local.connectionId}`;
  return async ({ issueId, jiraKey }) => {
    const body = JSON.stringify(doneWebhook({ issueId, jiraKey }));
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const headers = { 'content-type': 'application/json', 'x-hub-signature': `sha256=${signature}` };
    const response = await fetch(url, { method: 'POST', body, headers });
    if (!response.ok) throw new Error(`The webhook was answered with ${response.status}.`);
  };
}

function doneWebhook({ issueId, jiraKey }: { issueId: string; jiraKey: string }): object {
  return {
    timestamp: Date.now(),
    webhookEvent: 'jira:issue_updated',
    issue_event_type_name: 'issue_generic',
    user: { accountId: '5b10a2844c20165700ede21g', accountType: 'atlassian', displayName: 'Mia Krystof' },
    issue: { id: issueId, key: jiraKey, fields: {} },
    changelog: { id: '1', items: [{ field: 'status', fieldId: 'status', fromString: 'To Do', toString: 'Done' }] },
  };
}

/** When each card was changed first after Done, by its timestamp in Slack; undefined while some are missing. */
async function changedCards({ local }: Product, cards: Card[]): Promise<Map<string, number> | undefined> {
  const response = await fetch(`${local.slackUrl}/sandbox/requests?method=chat.update`);
  const { items } = (await response.json()) as { items: Update[] };
  const changed = new Map<string, number>();
  for (const { at, ok, args } of items) {
    if (ok && args.ts && args.text?.includes('Needs re-run') && !changed.has(args.ts))
      changed.set(args.ts, Date.parse(at));
  }
  return cards.every(({ ts }) => changed.has(ts)) ? changed : undefined;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
