// What the issue says in Jira is on the card, also where nothing else about its finding changes.

import { randomUUID } from 'node:crypto';
import { findingCard } from '../../bot/blocks/finding-card';
import { validateMessage } from '../../local/sandbox/slack/block-kit';
import type { Db } from '../../prisma/client';
import { issueStatus } from '../../workflows/rules/issue-status';
import { defaultRule, findingStatuses } from '../../workflows/rules/vocabulary';
import { createAcme, openStores, type Stores } from '../support/stores';
import { cardFinding, hostile, inJira } from './findings';

describe('what is kept of an issue for its card', () => {
  let stores: Stores;
  let db: Db;
  let link: { linkId: string; cardId: string };
  beforeAll(async () => {
    stores = await openStores();
    db = stores.db;
    const { organisationId } = await createAcme(db);
    const connection = await db.prisma.connection.create({
      data: { organisationId, kind: 'api_token', siteUrl: 'https://a.example', status: 'connected', projectKey: 'ACC' },
    });
    const made = { key: 's', name: 'S', kind: 'site', connectionId: null, rule: defaultRule } as const;
    const source = await db.sources.create(organisationId, made);
    const { id: findingId } = await db.prisma.finding.create({
      data: {
        ...{ organisationId, sourceId: source?.id ?? '', number: 1, key: 'k', rule: 'label', title: 'label' },
        severity: 'serious',
      },
    });
    const linkId = randomUUID();
    const issue = {
      jiraIssueId: '1',
      jiraKey: 'ACC-1',
      projectKey: 'ACC',
      marker: 'm',
      generation: 1,
      state: 'linked',
    };
    await db.prisma.issueLink.create({
      data: { id: linkId, organisationId, findingId, connectionId: connection.id, ...issue },
    });
    const { installationId, cardId } = { installationId: randomUUID(), cardId: randomUUID() };
    await db.pool.query(
      `insert into slack_installation (id, organisation_id, team_id, bot_id, bot_user_id, channel_id, status)
       values ($1, $2, 'T', 'B', 'U', 'C', 'installed')`,
      [installationId, organisationId],
    );
    await db.pool.query(
      `insert into card (id, organisation_id, finding_id, installation_id, channel_id) values ($1, $2, $3, $4, 'C')`,
      [cardId, organisationId, findingId, installationId],
    );
    link = { linkId, cardId };
  });
  afterAll(async () => {
    await stores?.close();
  });

  /** Whether the card is to be drawn anew once the issue was read, and what the link has then. */
  async function noted(status: string, resolution: string | null = null) {
    await db.pool.query('update card set dirty = false');
    await db.lifecycle.noteIssueStatus([{ linkId: link.linkId, status, resolution }]);
    const { rows } = await db.pool.query('select dirty, jira_status, jira_resolution from card, issue_link');
    return rows[0];
  }

  it('B2 the card is drawn anew when the status or the resolution changed, and at no other reading', async () => {
    const said = (dirty: boolean, jira_status: string, jira_resolution: string | null = null) => ({
      ...{ dirty, jira_status, jira_resolution },
    });
    expect(await noted('In Progress')).toEqual(said(true, 'In Progress'));
    expect(await noted('In Progress')).toEqual(said(false, 'In Progress'));
    expect(await noted('In Review')).toEqual(said(true, 'In Review'));
    expect(await noted('Done', 'Fixed')).toEqual(said(true, 'Done', 'Fixed'));
    expect(await noted('Done', 'Fixed')).toEqual(said(false, 'Done', 'Fixed'));
    expect(await noted('Done', "Won't Do")).toEqual(said(true, 'Done', "Won't Do"));
    expect(await noted('Done')).toEqual(said(true, 'Done'));
  });

  it('S5 a name that PostgreSQL would refuse is kept without what it refuses', async () => {
    const kept = issueStatus({ status: { name: 'Do\0ne' }, resolution: { name: '\0' } });
    expect(kept).toEqual({ status: 'Done', resolution: null });
  });
});

describe('the card of a finding in Jira', () => {
  const issue = { ...inJira, status: 'In Review', resolution: 'Parked' };

  it.each(findingStatuses)('B2 says what the issue says: %s', (status) => {
    const card = findingCard(cardFinding({ status, jira: issue, claimedBy: 'Dana' }));
    expect(validateMessage(card)).toEqual([]);
    for (const said of [card.text, JSON.stringify(card.blocks)]) expect(said).toContain('(In Review, Parked)');
  });

  it('B2 says nothing of an issue that is gone or not followed any more', () => {
    for (const over of [{ missing: true }, { notFollowed: true }]) {
      const card = findingCard(cardFinding({ status: 'awaiting_fix', jira: issue, ...over }));
      expect(card.text + JSON.stringify(card.blocks)).not.toContain('In Review');
    }
  });

  it('B2 lets no status of Jira become a mention or a link', () => {
    for (const text of hostile) {
      const card = findingCard(
        cardFinding({ status: 'awaiting_fix', jira: { ...issue, status: text, resolution: `${text}!` } }),
      );
      expect(validateMessage(card)).toEqual([]);
      expect(card.text + JSON.stringify(card.blocks)).not.toMatch(/<!(channel|here)|<@U0/);
    }
  });
});
