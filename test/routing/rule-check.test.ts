import type { JiraClient } from '../../activities/jira/client';
import { checkRule, ruleChoices } from '../../activities/jira/rule-check';
import type { Severity } from '../../workflows/rules/vocabulary';

/** A Jira with one project, whose priorities are its own and have no default. */
const client = {
  project: async () => ({ id: '1', key: 'ODD', name: 'Odd' }),
  projectSearch: async () => ({ values: [{ id: '1', key: 'ODD', name: 'Odd' }] }),
  issueTypes: async () => [{ id: '1', name: 'Bug', subtask: false }],
  issueFields: async () => [
    { fieldId: 'labels', name: 'Labels', required: false, hasDefaultValue: false },
    {
      ...{ fieldId: 'priority', name: 'Priority', required: true, hasDefaultValue: false },
      allowedValues: [
        { id: '1', name: 'Highest' },
        { id: '2', name: 'P2' },
      ],
    },
  ],
} as unknown as JiraClient;
const rule = (severities: Severity[], priorities: Partial<Record<Severity, string>> = {}) => ({
  ...{ projectKey: 'ODD', issueType: 'Bug', labels: [], component: null, assignee: null, priorities, severities },
});

describe('R3 a project that requires a priority of its own', () => {
  it.each([
    ['a severity that finds none by its usual name', rule(['critical', 'minor']), ['priorities']],
    ['every severity that may flow finds one', rule(['critical']), []],
    ['the rule maps the others', rule(['critical', 'minor'], { minor: 'P2' }), []],
  ])('%s', async (_what, asked, fields) => {
    const { problems, missing } = await checkRule(client, asked);
    expect(problems.map(({ field }) => field)).toEqual(fields);
    expect(missing).toEqual([]);
    for (const { message } of problems) expect(message).toMatch(/requires Priority.*"priorities".*Highest, P2/);
  });

  it('is not asked for among the fields of the template', async () => {
    expect((await ruleChoices(client, { projectKey: 'ODD', issueType: 'Bug' })).required).toEqual([]);
  });
});
