// What sources and rules have in common: checking a rule against Jira, and keeping webhooks in step with it.

import type { SourceRow } from '../../prisma/sources';
import { createConnecting } from './connecting';
import type { OperationDeps } from './deps';
import { connectionCure, orNotFound, uuid } from './guard';
import { jiraTrouble, refuseWhatJiraRefuses } from './rule-refusals';
import type { Caller } from './types';

/** What saving a rule has to do, whether it comes with a new source or as a change. */
export function createRuleKeeping(deps: OperationDeps) {
  const { db, jira } = deps;
  const { synchronise } = createConnecting(deps);
  return {
    /** Asks Jira whether the rule can be kept; refuses with what stands against it, answers what is only to be known. */
    async rulesChecked(
      { organisationId }: Caller,
      { connectionId, rule }: Pick<SourceRow, 'connectionId' | 'rule'>,
    ): Promise<string[]> {
      const connection = connectionId && (await db.connections.find(organisationId, connectionId));
      if (!connection || !rule.projectKey) return [];
      const check = await jira
        .ruleCheck(connection.id, { ...rule, projectKey: rule.projectKey })
        .catch((error: unknown) => {
          throw jiraTrouble(error);
        });
      refuseWhatJiraRefuses(check);
      return check.warnings;
    },

    /** The webhooks of a connection follow the projects that sources are routed to. */
    async routingChanged(caller: Caller, connectionIds: (string | null)[]): Promise<void> {
      for (const id of new Set(connectionIds)) {
        const connection = id && (await db.connections.find(caller.organisationId, id));
        if (connection) await synchronise(connection, 'routing');
      }
    },

    async knownConnection(caller: Caller, named: string | null | undefined): Promise<string | null> {
      if (!named) return null;
      const id = uuid(named, 'The connection');
      const found = await db.connections.find(caller.organisationId, id);
      return orNotFound(found, `The connection ${id}`, connectionCure).id;
    },
  };
}

// Slack's list of sources has room for 100 characters.
const endedWarning = 'Its Jira connection was disconnected: nothing is pushed or synced. Choose another one.';

const brokenWarning = 'Jira refuses the credentials of its connection: nothing is pushed or synced. Reconnect it.';

type WarnedSource = Pick<SourceRow, 'rule' | 'connectionId' | 'endedConnectionId' | 'brokenConnectionId'>;

/** Why nothing flows from a source although it is enabled, or to it from a connection that was ended. */
export function warningsOf(source: WarnedSource): string[] {
  const { rule, connectionId, endedConnectionId, brokenConnectionId } = source;
  // Of one that is off too: what it has in Jira already is not followed any more.
  const warnings = connectionId && connectionId === endedConnectionId ? [endedWarning] : [];
  if (connectionId && connectionId === brokenConnectionId) warnings.push(brokenWarning);
  if (!rule.enabled) return warnings;
  if (!connectionId) warnings.push('It has no Jira connection, so nothing can be pushed. Choose one.');
  if (!rule.projectKey) warnings.push('It has no Jira project key, so nothing can be pushed. Give one.');
  if (rule.severities.length === 0) warnings.push('No severity is ticked, so nothing can be pushed. Tick one.');
  return warnings;
}

/** Without the keys whose value is undefined: what is absent stays as it is. */
export function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
