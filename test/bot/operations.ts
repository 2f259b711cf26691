import type { Caller, Operations } from '../../api/operations/types';

const caller: Caller = {
  organisationId: '00000000-0000-4000-8000-000000000001',
  memberId: '00000000-0000-4000-8000-000000000002',
  name: 'Mel',
  role: 'member',
  via: 'slack',
  scopes: null,
};

const names = [
  'callerByApiKey',
  'callerBySlackUser',
  'listSources',
  'createSource',
  'getRule',
  'putRule',
  'ruleForm',
  'previewIssue',
  'ingestReport',
  'listFindings',
  'getFinding',
  'linkFinding',
  'unlinkFinding',
  'decideMissing',
  'previewPush',
  'push',
  'getPush',
  'awaitPush',
  'pushChoices',
  'waitingPushes',
  'decidePush',
  'listVerification',
  'createSession',
  'getSession',
  'startSession',
  'cancelSession',
  'giveVerdicts',
  'sessionReport',
  'listConnections',
  'createConnection',
  'testConnection',
  'syncConnection',
  'deleteConnection',
  'listMembers',
  'createMember',
  'removeMember',
  'listApiKeys',
  'createApiKey',
  'revokeApiKey',
] as const satisfies (keyof Operations)[];

/** Operations made by hand: those that a test gives, and every other throws. Anybody in Slack is the member Mel. */
export function operationsOf(given: Partial<Operations>): Operations {
  const others = names.map((name) => [name, () => Promise.reject(new Error(`${name} was not expected`))]);
  return { ...Object.fromEntries(others), callerBySlackUser: async () => caller, ...given } as Operations;
}
