import { isAllowed } from '../../workflows/rules/permissions';
import { type PushCandidate, pushDecision } from '../../workflows/rules/push-gate';
import { type IssueReading, issueMeaning } from '../../workflows/rules/status-mapping';
import { defaultRule } from '../../workflows/rules/vocabulary';

describe('S5 what an issue means', () => {
  const found = (category: string, resolution: string | null, status = 'Done'): IssueReading => ({
    kind: 'found',
    key: 'ACC-1',
    category,
    status,
    resolution,
  });
  it.each<[string, IssueReading, string]>([
    ['Done with the resolution Done', found('done', 'Done'), 'claimed'],
    ['Done with the resolution Fixed', found('done', 'Fixed'), 'claimed'],
    ['Done without a resolution', found('done', null), 'claimed'],
    ["Done with Won't Do", found('done', "Won't Do"), 'blocked'],
    ['Done with a typographic apostrophe', found('done', 'Won\u2019t Fix'), 'blocked'],
    ['Done with Duplicate', found('done', 'Duplicate'), 'blocked'],
    ['a team-managed status of that name', found('done', 'Done', "Won't do"), 'blocked'],
    ['In Progress', found('indeterminate', null, 'In Progress'), 'not_done'],
    ['In Review with a left-over resolution', found('indeterminate', 'Duplicate', 'In Review'), 'not_done'],
    ['To Do', found('new', null, 'To Do'), 'not_done'],
    ['No Category', found('undefined', null, 'Odd'), 'not_done'],
    ['an issue that is gone', { kind: 'missing' }, 'missing'],
  ])('%s', (_, reading, meaning) => {
    expect(issueMeaning(reading)).toBe(meaning);
  });

  it("follows a connection's own lists", () => {
    const mapping = { blockedResolutions: ['Deferred'], blockedStatuses: [] };
    expect(issueMeaning(found('done', 'Deferred'), mapping)).toBe('blocked');
    expect(issueMeaning(found('done', 'Duplicate'), mapping)).toBe('claimed');
  });
});

describe('P1 the push gate', () => {
  const ready: PushCandidate = {
    severity: 'serious',
    status: 'open',
    jiraKey: null,
    rule: { ...defaultRule, enabled: true, projectKey: 'ACC', severities: ['critical', 'serious'] },
    connection: { status: 'connected' },
  };
  it('lets through what the rule lets through', () => {
    expect(pushDecision(ready)).toEqual({ kind: 'create' });
  });
  it('P6 answers the key of what is linked, whatever the rule says now', () => {
    const excluded = { ...ready, jiraKey: 'ACC-7', rule: { ...ready.rule, enabled: false } };
    expect(pushDecision(excluded)).toEqual({ kind: 'reuse', jiraKey: 'ACC-7' });
  });
  it.each<[string, Partial<PushCandidate>, RegExp]>([
    ['an excluded source', { rule: { ...ready.rule, enabled: false } }, /excluded/],
    ['a source without a project key', { rule: { ...ready.rule, projectKey: null } }, /project key/],
    ['a source without a connection', { connection: null }, /no Jira connection/],
    ['a severity below the threshold', { severity: 'minor' }, /minor/],
    ['a disconnected connection', { connection: { status: 'disconnected' } }, /disconnected/],
    ['a finding that is gone', { status: 'resolved' }, /resolved/],
    ['a blocked finding', { status: 'blocked' }, /blocked/],
    ['a verified finding', { status: 'verified' }, /verified/],
  ])('refuses %s with the reason', (_, change, reason) => {
    const decision = pushDecision({ ...ready, ...change });
    expect(decision).toEqual({ kind: 'refuse', reason: expect.stringMatching(reason) });
  });
});

describe('C7 roles', () => {
  it('lets members push, re-run and give verdicts, and nothing that changes rules', () => {
    for (const operation of ['read', 'push', 'rerun', 'verdict', 'ingest'] as const) {
      expect(isAllowed('member', operation)).toBe(true);
    }
    for (const operation of ['configure', 'connect', 'approve', 'manage_members'] as const) {
      expect(isAllowed('member', operation)).toBe(false);
      expect(isAllowed('admin', operation)).toBe(true);
      expect(isAllowed('owner', operation)).toBe(true);
    }
  });
});
