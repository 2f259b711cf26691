import { createIssueActivities, type IssueDeps } from '../../activities/issues';
import { JiraError } from '../../activities/jira/errors';
import { defaultRule } from '../../workflows/rules/vocabulary';

const attempt = { organisationId: 'o', linkId: 'l', attempt: 1 };
const createFields = ['summary', 'labels', 'description', 'priority'].map((fieldId) => ({
  fieldId,
  allowedValues: [],
}));

/** One link, and a Jira that refuses the first create for a field that is only for comfort. */
function refusing({ isOpen }: { isOpen: boolean }) {
  const sent: string[] = [];
  const createIssue = async () => {
    sent.push('create');
    if (sent.length > 1) return { id: '1', key: 'ACC-1' };
    const refused = {
      kind: 'rejected',
      operation: 'createIssue',
      message: 'No.',
      fields: { priority: 'Not on the screen.' },
    };
    throw new JiraError(refused as ConstructorParameters<typeof JiraError>[0]);
  };
  const material = {
    ...{ linkId: 'l', state: 'creating', marker: 'recheck-1', connectionId: 'c', projectKey: 'ACC', jiraKey: null },
    ...{ note: null, rule: defaultRule, source: { key: 's', name: 'S', kind: 'site' }, isPictured: false },
    finding: { id: 'f', number: 1, title: 't', rule: 'r', severity: 'serious', details: {} },
    ...{ occurrences: [], occurrenceCount: 0 },
  };
  const deps = {
    db: {
      connections: { takeSlot: async () => ({ kind: 'granted', waitMs: 0 }), blockedMs: async () => 0 },
      findings: { issueMaterial: async () => material },
      lifecycle: { fenceSend: async () => true, fenceAgain: async () => isOpen, storeIssue: async () => undefined },
    },
    jira: {
      clientFor: async () => ({ createIssue }),
      createTarget: async () => ({ projectId: '1', issueTypeId: '2', fields: createFields }),
    },
    ...{ baseUrl: 'https://recheck.example', pushIntervalMs: 0, engine: {} },
  } as unknown as IssueDeps;
  return { ...createIssueActivities(deps), sent };
}

describe('an attempt whose comfort Jira refuses', () => {
  it('P6 is sent again without that field', async () => {
    const { createIssue, sent } = refusing({ isOpen: true });
    expect(await createIssue(attempt)).toEqual({ kind: 'created', key: 'ACC-1' });
    expect(sent).toHaveLength(2);
  });

  it('P6 is not sent again when it was given up meanwhile', async () => {
    const { createIssue, sent } = refusing({ isOpen: false });
    expect(await createIssue(attempt)).toEqual({ kind: 'ambiguous' });
    expect(sent).toHaveLength(1);
  });
});
