// The health of a connection in checks: each thing that people of such an integration get stuck at is
// looked at, and what fails says its cause and its cure.

import type { ConnectionRow } from '../../prisma/connections';
import type { HealthFacts } from '../../prisma/health-facts';
import type { Check, ConnectionView } from './connection-types';

const WEBHOOK_STEPS =
  'In Jira, open Settings > System > WebHooks and compare URL and secret of the webhook with those of this connection; it must be Enabled and send "Issue: updated" and "Issue: deleted".';
const LATE_POLLS = 3;

const many = (count: number, one: string, more: string) => `${count} ${count === 1 ? one : more}`;

type Known = { row: ConnectionRow; facts: HealthFacts; now: Date; pollMs: number };
type Wrong = { cause: string; cure: string };
/** Nothing is wrong, but nothing was seen to be right either. */
type Unseen = { state: 'unknown' | 'off'; note: string };
type Rule = (known: Known) => Wrong | Unseen | null;

/** A rule answers null where all is seen to be well. */
const rules: Record<string, Rule> = {
  address: ({ row }) =>
    row.siteUrl.endsWith('/') || !/^https?:\/\/[^/]+$/.test(row.siteUrl)
      ? {
          cause: `The site URL ${row.siteUrl} is not one.`,
          cure: 'It starts with https:// and has no trailing slash. Disconnect, and connect again with the right one.',
        }
      : null,

  credentials: ({ row }) =>
    row.status === 'connected'
      ? null
      : {
          cause: row.statusReason ?? 'Jira does not accept the credentials any more (401 or 403).',
          cure:
            row.kind === 'oauth'
              ? 'Grant every scope when you reconnect. Pushes wait meanwhile and go on by themselves.'
              : 'Check in the Atlassian account settings that the API token was not revoked and has not expired, make a new one, and press Reconnect on the page of the connection. Pushes wait meanwhile and go on by themselves.',
        },

  project: ({ row }) =>
    row.lostProjects.length === 0
      ? whileDead(row, 'Every project that sources are routed to was seen until then.')
      : {
          cause: `The account does not see ${row.lostProjects.join(', ')} any more (404).`,
          cure: 'Give the account the permission Browse projects again, or correct the project key in the rule of the source: it is case-sensitive. Findings stay as they are meanwhile.',
        },

  webhook: webhookTrouble,

  tracking: ({ facts }) => {
    if (facts.trackedDeliveries > 0) return null;
    if (facts.untrackedDeliveries === 0 || facts.trackedIssues === 0) {
      return { state: 'unknown', note: 'Jira sent nothing about a followed issue in the last 24 hours.' };
    }
    return {
      cause:
        facts.untrackedDeliveries === 1
          ? 'The only delivery of the last 24 hours was about an issue that no finding is linked to.'
          : `All ${facts.untrackedDeliveries} deliveries of the last 24 hours were about issues that no finding is linked to.`,
      cure: 'An issue made by hand in Jira is followed once it is linked: POST /api/v1/findings/{id}/link with its key. If the issues are those of Recheck, the webhook was made for another connection: compare its integration_id.',
    };
  },

  verification: ({ facts }) => {
    if (facts.linkedWithoutOccurrence > 0) {
      return {
        cause: `${many(facts.linkedWithoutOccurrence, 'linked finding has', 'linked findings have')} no page or execution, so there is nothing to re-run.`,
        cure: 'Send a report that contains them again.',
      };
    }
    return facts.trackedIssues > 0
      ? null
      : { state: 'unknown', note: 'No issue is followed through this connection yet.' };
  },

  sessions: ({ facts }) =>
    facts.staleCards === 0
      ? null
      : {
          cause: `${many(facts.staleCards, 'card in Slack has', 'cards in Slack have')} been behind for more than a minute, so a re-run that was begun ("Session pending") may not show.`,
          cure: 'Type "/recheck list needs re-run" to see how things stand; if it stays, check that Recheck is still in the channel.',
        },

  polling: pollTrouble,

  pushes: ({ row, facts }) => {
    if (facts.heldPushes > 0 && row.status === 'connected') {
      return {
        state: 'unknown',
        note: `Pushes that were held are going on by themselves; still waiting: ${facts.heldPushes}.`,
      };
    }
    if (facts.heldPushes > 0) {
      return {
        cause: `${many(facts.heldPushes, 'push is', 'pushes are')} held until the connection works.`,
        cure: 'Reconnect: what is held goes on by itself. Nothing has to be pushed again.',
      };
    }
    return facts.sourcesWithoutProject === 0
      ? null
      : {
          cause: `${many(facts.sourcesWithoutProject, 'source is', 'sources are')} switched on without a Jira project key, and can push nothing.`,
          cure: 'Give each a project key in its rule: /recheck rules and the key of the source.',
        };
  },
};

/** What cannot be looked at with credentials that do not work; `last` is what was known when they did. */
function whileDead({ status }: ConnectionRow, last: string): Unseen | null {
  if (status === 'connected') return null;
  return { state: 'unknown', note: `It cannot be known until the connection is reconnected. ${last}` };
}

function at(moment: Date): string {
  return `on ${moment.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function webhookTrouble({ row, facts, now }: Known): ReturnType<Rule> {
  if (row.webhookError) {
    return {
      cause: `The webhook could not be registered: ${row.webhookError}`,
      cure: 'Press "Synchronise now" to try again. Of an OAuth app that is not distributed, only the owner of the app gets deliveries.',
    };
  }
  if (row.webhookExpiresAt && row.webhookExpiresAt < now) {
    return {
      cause: `The webhook expired on ${row.webhookExpiresAt.toISOString().slice(0, 10)}.`,
      cure: 'Press "Synchronise now": it is registered again.',
    };
  }
  // An administrator's webhook goes on without our credentials; those of a grant end with it.
  const end =
    row.kind === 'oauth'
      ? whileDead(
          row,
          `${row.lastWebhookAt ? `The last webhook came ${at(row.lastWebhookAt)}.` : 'No webhook has come yet.'}`,
        )
      : null;
  if (row.lastWebhookAt || end) return end;
  if (facts.trackedIssues === 0) {
    return {
      state: 'unknown',
      note: 'Jira has not sent anything yet, and no issue is followed through this connection.',
    };
  }
  // Jira tells of changes alone: right after the first pushes nothing was to be told.
  if (facts.agedIssues === 0 && facts.caughtUp === 0) {
    return {
      state: 'unknown',
      note: 'Jira has not sent anything yet; it does when somebody changes an issue that Recheck follows.',
    };
  }
  return {
    cause: 'Jira has not sent anything to this connection yet, although issues are followed through it.',
    cure:
      row.kind === 'oauth'
        ? 'Press "Synchronise now" to register the webhook again. Meanwhile, switch on auto sync.'
        : `${WEBHOOK_STEPS} A wrong integration_id in the URL is the usual cause. Meanwhile, switch on auto sync.`,
  };
}

function pollTrouble({ row, now, pollMs }: Known): ReturnType<Rule> {
  if (!row.autoSync) return { state: 'off', note: 'Auto sync is off: only webhooks bring changes.' };
  if (row.pollError) {
    return {
      cause: `The last poll failed: ${row.pollError}`,
      cure: 'It is tried again by itself; press "Test connection" to see what Jira says.',
    };
  }
  if (!row.lastPollAt) return { state: 'unknown', note: 'Auto sync is on; the first poll has not run yet.' };
  if (now.getTime() - row.lastPollAt.getTime() <= LATE_POLLS * pollMs) return null;
  return {
    cause: `The last poll was ${at(row.lastPollAt)}, longer ago than it should.`,
    cure: 'Check that a worker of Recheck runs and that Temporal answers (/readyz).',
  };
}

/** The health of a connection, as everybody may see it. `pollMs`: milliseconds between two polls. */
export function connectionHealth(known: Known): ConnectionView['health'] {
  const { row, facts } = known;
  const checks = Object.entries(rules).map(([name, rule]): Check => {
    const found = rule(known);
    return { name, ok: found === null || 'state' in found, ...found };
  });
  return {
    ok: checks.every((check) => check.ok),
    reason: row.statusReason,
    lastWebhookAt: iso(row.lastWebhookAt),
    lastPollAt: iso(row.lastPollAt),
    webhookExpiresAt: iso(row.webhookExpiresAt),
    webhookError: row.webhookError,
    pollError: row.pollError,
    tokenState: row.status === 'connected' ? 'valid' : 'dead',
    tokenExpiresAt: iso(row.tokenExpiresAt),
    heldPushes: facts.heldPushes,
    lostProjects: row.lostProjects,
    checks,
  };
}

const iso = (at: Date | null) => at?.toISOString() ?? null;
