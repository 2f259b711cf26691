import { mappingOf, proposedMapping } from '../../workflows/rules/mapping-lists';
import { isAllowed } from '../../workflows/rules/permissions';
import { acceptedReason, type PushCandidate, pushDecision } from '../../workflows/rules/push-gate';
import { type IssueReading, issueMeaning } from '../../workflows/rules/status-mapping';
import { defaultRule } from '../../workflows/rules/vocabulary';

describe('S5 what an issue means', () => {
  const found = (category: string, resolution: string | null, status = 'Done'): IssueReading => ({
    kind: 'found',
    key: 'ACC-1',
    category,
    status: { id: `status of ${status}`, name: status },
    resolution: resolution === null ? null : { id: `resolution of ${resolution}`, name: resolution },
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
    ['an issue whose project is out of sight', { kind: 'project_lost' }, 'project_lost'],
  ])('%s', (_, reading, meaning) => {
    expect(issueMeaning(reading)).toBe(meaning);
  });

  it("follows a project's own lists, by id", () => {
    const renamed = { id: 'resolution of Deferred', name: 'Later' };
    const mapping = { blockedResolutions: [renamed], blockedStatuses: [{ id: 'status of Parked', name: 'Parked' }] };
    expect(issueMeaning(found('done', 'Deferred'), mapping)).toBe('blocked');
    expect(issueMeaning(found('done', null, 'Parked'), mapping)).toBe('blocked');
    expect(issueMeaning(found('done', 'Later'), mapping)).toBe('claimed');
    expect(issueMeaning(found('done', 'Duplicate'), mapping)).toBe('claimed');
  });

  it('goes by the name where a list has no id', () => {
    const mapping = { blockedResolutions: [{ id: '', name: 'deferred ' }], blockedStatuses: [] };
    expect(issueMeaning(found('done', 'Deferred'), mapping)).toBe('blocked');
  });

  it('reads the lists of a project, and nothing from what is no list', () => {
    const lists = { blockedResolutions: [{ id: '1', name: 'One' }], blockedStatuses: [{ id: '2', name: 'Two' }] };
    expect(mappingOf({ ACC: lists }, 'ACC')).toEqual(lists);
    expect(mappingOf({ ACC: lists }, 'WEB')).toBeUndefined();
    expect(mappingOf({ ACC: { blockedResolutions: 'One' } }, 'ACC')).toEqual({
      blockedResolutions: [],
      blockedStatuses: [],
    });
    for (const odd of [null, undefined, 'ACC', 3, [], { ACC: null }]) expect(mappingOf(odd, 'ACC')).toBeUndefined();
    expect(mappingOf({}, 'constructor')).toBeUndefined();
  });

  it('proposes what goes by a usual name; a status only where it closes', () => {
    const named = (id: string, name: string) => ({ id, name });
    const proposed = proposedMapping({
      resolutions: [named('1', 'Done'), named('2', 'Won\u2019t Fix'), named('3', 'DUPLICATE')],
      statuses: [
        { ...named('4', "Won't do"), category: 'done' },
        { ...named('5', 'Declined'), category: 'indeterminate' },
        { ...named('6', 'Done'), category: 'done' },
      ],
    });
    expect(proposed).toEqual({
      blockedResolutions: [named('2', 'Won\u2019t Fix'), named('3', 'DUPLICATE')],
      blockedStatuses: [named('4', "Won't do")],
    });
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

describe('C10 S8 the push gate of what waits', () => {
  const waiting: PushCandidate = {
    severity: 'serious',
    status: 'open',
    jiraKey: null,
    rule: { ...defaultRule, enabled: true, projectKey: 'ACC' },
    connection: { status: 'reconnect_required', reason: 'The token was revoked.' },
  };
  it('C10 holds what a broken connection alone stands against, and says why', () => {
    expect(pushDecision(waiting)).toEqual({
      kind: 'held',
      reason: expect.stringMatching(/^Connection held: The token was revoked\./),
    });
    expect(pushDecision({ ...waiting, connection: { status: 'reconnect_required' } }).kind).toBe('held');
  });
  it('C10 refuses what would be refused anyway, and answers the key of what is linked', () => {
    const excluded = { ...waiting, rule: { ...waiting.rule, enabled: false } };
    expect(pushDecision(excluded)).toEqual({ kind: 'refuse', reason: expect.stringContaining('excluded') });
    expect(pushDecision({ ...waiting, jiraKey: 'ACC-7' })).toEqual({ kind: 'reuse', jiraKey: 'ACC-7' });
  });
  it('S8 V9 refuses what was accepted when its issue was deleted, and no other blocked finding', () => {
    const blocked: PushCandidate = { ...waiting, status: 'blocked', jiraKey: 'ACC-7' };
    const refused = { kind: 'refuse', reason: expect.stringMatching(/accepted.*ACC-7 was deleted.*unlink ACC-7/) };
    expect(pushDecision({ ...blocked, statusReason: acceptedReason('ACC-7') })).toEqual(refused);
    const closed = { ...blocked, statusReason: 'Closed in Jira as not to be fixed.' };
    expect(pushDecision(closed)).toEqual({ kind: 'reuse', jiraKey: 'ACC-7' });
  });
  it('S8 refuses what waits for a decision about its deleted issue', () => {
    const missing = { ...waiting, jiraKey: 'ACC-7', missing: true };
    expect(pushDecision(missing)).toEqual({ kind: 'refuse', reason: expect.stringMatching(/ACC-7 was deleted.*drop/) });
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
