// The OAuth scopes that Recheck works with, and which call needs which.
// Vendor source: Atlassian, "Scopes for OAuth 2.0 (3LO) and Forge apps" (classic scopes).

/** What a grant must allow, with what each is for. */
export const NEEDED_SCOPES: Readonly<Record<string, string>> = {
  'read:jira-work': 'read projects and issues',
  'write:jira-work': 'create and change issues',
  'read:jira-user': 'see whose account it is',
  'manage:jira-webhook': 'be told of changes',
};

/** What is asked for at the consent: without `offline_access` Atlassian gives no refresh token. */
export const REQUESTED_SCOPES: ReadonlyArray<string> = [...Object.keys(NEEDED_SCOPES), 'offline_access'];

const WRITES: ReadonlySet<string> = new Set([
  'createIssue',
  'addComment',
  'transition',
  'editIssue',
  'setProperty',
  'addAttachment',
]);

/** The scope that a call of the client needs. */
export function scopeOf(operation: string): string {
  if (operation === 'myself' || operation === 'usersById') return 'read:jira-user';
  if (operation.endsWith('Webhooks')) return 'manage:jira-webhook';
  return WRITES.has(operation) ? 'write:jira-work' : 'read:jira-work';
}

/** Needed scopes that a grant does not have. */
export function missingScopes(granted: ReadonlyArray<string>): string[] {
  return Object.keys(NEEDED_SCOPES).filter((scope) => !granted.includes(scope));
}
