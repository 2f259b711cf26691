import type { JiraClient } from './client';
import { missingRequiredFields } from './create-meta';
import { JiraError } from './errors';
import type { JiraProject, JiraUser } from './schemas';
import type { AddressLookup } from './site-address';
import { checkSiteUrl } from './site-address';

export type CheckName = 'address' | 'credentials' | 'project' | 'permissions' | 'fields';

/** One line of the connection test; a failed one names its cause and its cure. */
export interface ConnectionCheck {
  readonly name: CheckName;
  readonly ok: boolean;
  readonly cause?: string;
  readonly cure?: string;
}

export interface ConnectionReport {
  readonly ok: boolean;
  readonly checks: ConnectionCheck[];
  /** The account behind the credentials, where they are good. */
  readonly account?: JiraUser;
  readonly project?: JiraProject;
}

/** What the connecting account needs in a project, by Jira's permission keys, with the words of its settings page. */
export const NEEDED_PERMISSIONS: Readonly<Record<string, string>> = {
  BROWSE_PROJECTS: 'Browse projects',
  CREATE_ISSUES: 'Create issues',
  ADD_COMMENTS: 'Add comments',
  CREATE_ATTACHMENTS: 'Create attachments',
  TRANSITION_ISSUES: 'Transition issues',
};

interface CheckTarget {
  readonly siteUrl: string;
  readonly projectKey: string;
  /** Bug by default. */
  readonly issueType?: string | undefined;
  /** Ids of fields that the source's template fills. */
  readonly templateFields?: ReadonlyArray<string> | undefined;
  readonly allowedHttpOrigins?: ReadonlyArray<string> | undefined;
  readonly lookup?: AddressLookup | undefined;
}

/**
 * Proves a connection step by step: the address is a reachable Jira, the credentials are good, the project is there,
 * the account has the permissions, an issue can be made with the fields we fill. Stops where going on would only
 * repeat the failure; the checks that could not be made are absent. Never throws.
 */
export async function checkConnection(client: JiraClient, target: CheckTarget): Promise<ConnectionReport> {
  const address = await checkAddress(client, target);
  if (!address.ok) return report([address]);

  const who = await attempt(() => client.myself());
  if (!who.ok) return report([address, failed('credentials', credentialsFailure(who.error))]);
  const sofar = [address, passed('credentials')];

  const [project, granted, types] = await Promise.all([
    attempt(() => client.project(target.projectKey)),
    attempt(() => client.mypermissions(target.projectKey, Object.keys(NEEDED_PERMISSIONS))),
    attempt(() => client.issueTypes(target.projectKey)),
  ]);
  if (!project.ok) {
    const check = failed('project', projectFailure(project.error, target.projectKey));
    return { ...report([...sofar, check]), account: who.value };
  }
  const permissions = permissionsCheck(granted, target.projectKey);
  const fields = permissions.ok ? [await checkFields(client, target, types)] : [];
  return {
    ...report([...sofar, passed('project'), permissions, ...fields]),
    account: who.value,
    project: project.value,
  };
}

type Attempt<T> = { ok: true; value: T } | { ok: false; error: unknown };
interface Failure {
  readonly cause: string;
  readonly cure: string;
}

async function attempt<T>(call: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, error };
  }
}

function report(checks: ConnectionCheck[]): ConnectionReport {
  return { ok: checks.every(({ ok }) => ok), checks };
}

function passed(name: CheckName): ConnectionCheck {
  return { name, ok: true };
}

function failed(name: CheckName, failure: Failure): ConnectionCheck {
  return { name, ok: false, ...failure };
}

async function checkAddress(client: JiraClient, target: CheckTarget): Promise<ConnectionCheck> {
  const form = await checkSiteUrl(target.siteUrl, target);
  if (!form.ok) return failed('address', { cause: form.cause, cure: form.cure });
  const answer = await attempt(() => client.serverInfo());
  if (answer.ok) return passed('address');
  // Whoever judges credentials is a Jira; the next check says what is wrong with them.
  if (isKind(answer.error, 'auth', 'scope', 'forbidden', 'rate-limited')) return passed('address');
  if (isKind(answer.error, 'not-found', 'rejected') || hasReason(answer.error, 'html', 'unexpected-body', 'redirect')) {
    return failed('address', {
      cause: `There is no Jira Cloud site at ${form.origin}.`,
      cure: 'Copy the address from the browser while you are in Jira, up to .atlassian.net.',
    });
  }
  return failed('address', otherFailure(answer.error));
}

function credentialsFailure(error: unknown): Failure {
  if (hasReason(error, 'captcha')) {
    return {
      cause: 'Jira has locked this account behind a CAPTCHA after failed logins.',
      cure: 'Log in to Jira once in a browser with this account, then test again.',
    };
  }
  if (isKind(error, 'auth')) {
    return {
      cause: 'Jira does not accept the e-mail and API token (401).',
      cure: 'Confirm that both are correct, and that the token was not revoked and has not expired in the Atlassian account settings; make a new one if in doubt.',
    };
  }
  if (isKind(error, 'scope')) return scopeFailure('read:jira-user');
  if (isKind(error, 'forbidden')) {
    return {
      cause: 'Jira knows the account but does not let it in (403).',
      cure: 'Give the account access to Jira in the Atlassian administration, and check that no IP allow-list shuts us out.',
    };
  }
  return otherFailure(error);
}

function projectFailure(error: unknown, projectKey: string): Failure {
  if (isKind(error, 'not-found')) {
    return {
      cause: `Project ${projectKey} does not exist, or the account may not see it (404).`,
      cure: 'Check the project key under Project settings > Details: it is case-sensitive. If it is right, give the account the permission Browse projects.',
    };
  }
  if (isKind(error, 'scope')) return scopeFailure('read:jira-work');
  return otherFailure(error);
}

function permissionsCheck(granted: Attempt<Record<string, boolean>>, projectKey: string): ConnectionCheck {
  if (!granted.ok) {
    return failed(
      'permissions',
      isKind(granted.error, 'scope') ? scopeFailure('read:jira-work') : otherFailure(granted.error),
    );
  }
  const missing = Object.entries(NEEDED_PERMISSIONS).flatMap(([key, name]) => (granted.value[key] ? [] : [name]));
  if (missing.length === 0) return passed('permissions');
  return failed('permissions', {
    cause: `The account lacks ${missing.length === 1 ? 'a permission' : 'permissions'} in ${projectKey}: ${missing.join(', ')}.`,
    cure: 'A Jira administrator can grant it under Project settings > Permissions (Access in a team-managed project).',
  });
}

async function checkFields(
  client: JiraClient,
  target: CheckTarget,
  types: Attempt<Array<{ id: string; name: string; subtask: boolean }>>,
): Promise<ConnectionCheck> {
  if (!types.ok) return failed('fields', otherFailure(types.error));
  const wanted = target.issueType ?? 'Bug';
  const usable = types.value.filter(({ subtask }) => !subtask);
  const type = usable.find(({ id, name }) => id === wanted || name.toLowerCase() === wanted.toLowerCase());
  if (!type) {
    return failed('fields', {
      cause: `Project ${target.projectKey} has no issue type ${wanted}.`,
      cure: usable.length > 0 ? `Choose one of: ${usable.map(({ name }) => name).join(', ')}.` : 'Add one in Jira.',
    });
  }
  const fields = await attempt(() => client.issueFields(target.projectKey, type.id));
  if (!fields.ok) return failed('fields', otherFailure(fields.error));
  const missing = missingRequiredFields(fields.value, target.templateFields);
  if (missing.length === 0) return passed('fields');
  return failed('fields', {
    cause: `${type.name} in ${target.projectKey} requires fields that have no default: ${missing.map(({ name }) => name).join(', ')}.`,
    cure: 'Give them a default or make them optional in Jira, or fill them in the sync rule of the source.',
  });
}

function scopeFailure(scope: string): Failure {
  return {
    cause: `The credentials lack the scope ${scope}.`,
    cure: 'Connect again and grant every scope that is asked for; a scoped API token needs it ticked.',
  };
}

function otherFailure(error: unknown): Failure {
  if (!(error instanceof JiraError)) {
    return { cause: 'The check failed inside Recheck.', cure: 'Try again; if it stays, look at the log.' };
  }
  if (error.kind === 'rate-limited') {
    return { cause: 'Jira is limiting our calls (429).', cure: `Try again in ${seconds(error.retryAfterMs)}.` };
  }
  const [cause, ...cure] = error.message.split(/(?<=\.) /);
  return { cause: cause ?? error.message, cure: cure.join(' ') || 'Try again in a minute.' };
}

function seconds(ms: number | undefined): string {
  return `${Math.ceil((ms ?? 60_000) / 1000)} seconds`;
}

function isKind(error: unknown, ...kinds: JiraError['kind'][]): boolean {
  return error instanceof JiraError && kinds.includes(error.kind);
}

function hasReason(error: unknown, ...reasons: string[]): boolean {
  return error instanceof JiraError && error.reason !== undefined && reasons.includes(error.reason);
}
