import type { Failure } from './check-failures';
import {
  callFailure,
  credentialsFailure,
  hasReason,
  isKind,
  otherFailure,
  projectFailure,
  scopeFailure,
} from './check-failures';
import type { JiraClient } from './client';
import { missingRequiredFields } from './create-meta';
import type { JiraProject, JiraUser } from './schemas';
import { missingScopes } from './scopes';
import type { AddressLookup } from './site-address';
import { checkSiteUrl } from './site-address';

export type CheckName = 'address' | 'credentials' | 'scopes' | 'project' | 'permissions' | 'fields' | 'webhooks';

/** One line of the connection test; a failed one names its cause and its cure. */
export interface ConnectionCheck {
  readonly name: CheckName;
  readonly ok: boolean;
  readonly cause?: string;
  readonly cure?: string;
  /** What a passed check still tells. */
  readonly note?: string;
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

export interface CheckTarget {
  readonly siteUrl: string;
  /** Without one, address and credentials alone are checked. */
  readonly projectKey?: string | undefined;
  /** Bug by default. */
  readonly issueType?: string | undefined;
  /** Ids of fields that the source's template fills. */
  readonly templateFields?: ReadonlyArray<string> | undefined;
  /** Given for OAuth: the scopes that were granted. */
  readonly grant?: { readonly scopes: ReadonlyArray<string> } | undefined;
  /** Given for a stored OAuth connection: its dynamic webhooks, and why there are none. */
  readonly webhooks?: { readonly ids: ReadonlyArray<string>; readonly error: string | null } | undefined;
  readonly allowedHttpOrigins?: ReadonlyArray<string> | undefined;
  readonly lookup?: AddressLookup | undefined;
}

/**
 * Proves a connection step by step: the address is a reachable Jira, the credentials are good and have every scope, the
 * project is there, the account has the permissions, an issue can be made with the fields we fill, and Jira knows the
 * webhooks. Stops where going on would only repeat the failure; the checks that could not be made are absent. Never
 * throws.
 */
export async function checkConnection(client: JiraClient, target: CheckTarget): Promise<ConnectionReport> {
  const address = await checkAddress(client, target);
  if (!address.ok) return report([address]);

  const who = await attempt(() => client.myself());
  if (!who.ok) return refusedLogin(address, who.error, target);
  const account = who.value;
  const sofar = [address, passed('credentials'), ...scopesCheck(target)];
  const webhooks = target.webhooks ? [await checkWebhooks(client, target.webhooks)] : [];
  const { projectKey } = target;
  if (projectKey === undefined) return { ...report([...sofar, ...webhooks]), account };

  const [project, granted, types] = await Promise.all([
    attempt(() => client.project(projectKey)),
    attempt(() => client.mypermissions(projectKey, Object.keys(NEEDED_PERMISSIONS))),
    attempt(() => client.issueTypes(projectKey)),
  ]);
  if (!project.ok) {
    const failure = projectFailure(project.error, projectKey, await inUpperCase(client, projectKey, project.error));
    return { ...report([...sofar, failed('project', failure), ...webhooks]), account };
  }
  const permissions = permissionsCheck(granted, project.value);
  const fields = permissions.ok ? [await checkFields(client, target, { project: project.value, types })] : [];
  const all = [...sofar, projectCheck(project.value), permissions, ...fields, ...webhooks];
  return { ...report(all), account, project: project.value };
}

type Attempt<T> = { ok: true; value: T } | { ok: false; error: unknown };

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

function passed(name: CheckName, note?: string): ConnectionCheck {
  return { name, ok: true, ...(note ? { note } : {}) };
}

function failed(name: CheckName, failure: Failure): ConnectionCheck {
  return { name, ok: false, ...failure };
}

async function checkAddress(client: JiraClient, target: CheckTarget): Promise<ConnectionCheck> {
  const form = await checkSiteUrl(target.siteUrl, target);
  if (!form.ok) return failed('address', { cause: form.cause, cure: form.cure });
  // A grant's site was named by Atlassian itself, and its calls go to the gateway.
  if (target.grant) return passed('address');
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

function refusedLogin(address: ConnectionCheck, error: unknown, { grant }: CheckTarget): ConnectionReport {
  if (grant && isKind(error, 'unavailable') && !hasReason(error, 'credentials-unreadable', 'no-oauth-app')) {
    return report([failed('address', otherFailure(error))]);
  }
  const failure = credentialsFailure(error, grant ? 'oauth' : 'api_token');
  return report([address, failed('credentials', failure)]);
}

function scopesCheck({ grant }: CheckTarget): ConnectionCheck[] {
  if (!grant) return [];
  const missing = missingScopes(grant.scopes);
  return [missing.length === 0 ? passed('scopes') : failed('scopes', scopeFailure(missing))];
}

/** The project that is meant by a key in the wrong case. */
async function inUpperCase(client: JiraClient, key: string, error: unknown): Promise<JiraProject | undefined> {
  const upper = key.toUpperCase();
  if (upper === key || !isKind(error, 'not-found')) return undefined;
  const found = await attempt(() => client.project(upper));
  return found.ok ? found.value : undefined;
}

function isTeamManaged({ style, simplified }: JiraProject): boolean {
  return style === 'next-gen' || simplified === true;
}

function projectCheck(project: JiraProject): ConnectionCheck {
  const note =
    'A team-managed project: Jira sets the resolution itself there, so list the statuses that mean "will not be fixed" in the status mapping.';
  return passed('project', isTeamManaged(project) ? note : undefined);
}

function permissionsCheck(granted: Attempt<Record<string, boolean>>, project: JiraProject): ConnectionCheck {
  if (!granted.ok) return failed('permissions', callFailure(granted.error));
  const missing = Object.entries(NEEDED_PERMISSIONS).flatMap(([key, name]) => (granted.value[key] ? [] : [name]));
  if (missing.length === 0) return passed('permissions');
  const where = isTeamManaged(project)
    ? 'Project settings > Access, with a role that has it (this project is team-managed)'
    : 'Project settings > Permissions';
  return failed('permissions', {
    cause: `The account lacks ${missing.length === 1 ? 'a permission' : 'permissions'} in ${project.key}: ${missing.join(', ')}.`,
    cure: `A Jira administrator can grant it under ${where}.`,
  });
}

interface CreateScreen {
  readonly project: JiraProject;
  readonly types: Attempt<Array<{ id: string; name: string; subtask: boolean }>>;
}

async function checkFields(
  client: JiraClient,
  target: CheckTarget,
  { project, types }: CreateScreen,
): Promise<ConnectionCheck> {
  if (!types.ok) return failed('fields', callFailure(types.error));
  const wanted = target.issueType ?? 'Bug';
  const usable = types.value.filter(({ subtask }) => !subtask);
  const type = usable.find(({ id, name }) => id === wanted || name.toLowerCase() === wanted.toLowerCase());
  if (!type) {
    return failed('fields', {
      cause: `Project ${project.key} has no issue type ${wanted}.`,
      cure: usable.length > 0 ? `Choose one of: ${usable.map(({ name }) => name).join(', ')}.` : 'Add one in Jira.',
    });
  }
  const fields = await attempt(() => client.issueFields(project.key, type.id));
  if (!fields.ok) return failed('fields', callFailure(fields.error));
  const missing = missingRequiredFields(fields.value, target.templateFields);
  if (missing.length === 0) return passed('fields');
  const where = isTeamManaged(project) ? ` (Project settings > Issue types > ${type.name})` : '';
  return failed('fields', {
    cause: `${type.name} in ${project.key} requires fields that have no default: ${missing.map(({ name }) => name).join(', ')}.`,
    cure: `Give them a default or make them optional in Jira${where}, or fill them in the sync rule of the source.`,
  });
}

const OWNER_NOTE =
  'While the OAuth app is private, Jira delivers webhooks only where the owner of the app gave the consent; polling finds what is missed.';

async function checkWebhooks(
  client: JiraClient,
  { ids, error }: { ids: ReadonlyArray<string>; error: string | null },
): Promise<ConnectionCheck> {
  if (error !== null) {
    return failed('webhooks', {
      cause: `The webhook is not registered. ${error}`.trim(),
      cure: 'Recheck tries again by itself; until then changes are found by polling, where auto sync is on.',
    });
  }
  if (ids.length === 0)
    return passed('webhooks', `No source is routed here yet, so no webhook is needed. ${OWNER_NOTE}`);
  const listed = await attempt(() => client.listWebhooks());
  if (!listed.ok) return failed('webhooks', callFailure(listed.error));
  const known = new Set(listed.value.map(({ id }) => id));
  if (ids.every((id) => known.has(id))) return passed('webhooks', OWNER_NOTE);
  return failed('webhooks', {
    cause: 'Jira does not list the webhook any more: it has expired or was deleted.',
    cure: 'Synchronise the connection: the webhook is registered anew and what was missed is caught up.',
  });
}
