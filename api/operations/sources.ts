import type { SourceRow } from '../../prisma/sources';
import { defaultRule, type SyncRule } from '../../workflows/rules/vocabulary';
import { createConnecting } from './connecting';
import type { OperationDeps } from './deps';
import { demand, orNotFound, pageOf, toPage, uuid } from './guard';
import { Refusal } from './refusal';
import type { Caller, Operations, RuleView, SourceView } from './types';

type SourceOperations = Pick<Operations, 'listSources' | 'createSource' | 'getRule' | 'putRule'>;

/** Sources and their sync rules. */
export function createSourceOperations(deps: OperationDeps): SourceOperations {
  const { db } = deps;
  const { synchronise } = createConnecting(deps);

  return {
    async listSources(caller, page) {
      demand(caller, 'read');
      const { limit, after } = pageOf(page);
      const rows = await db.sources.list(caller.organisationId, { after, limit: limit + 1 });
      return toPage(rows, limit, (row) => row.key, viewOf);
    },

    async createSource(caller, source) {
      demand(caller, 'configure');
      const connectionId = await knownConnection(caller, source.connection);
      const rule: SyncRule = { ...defaultRule, ...defined(source.rule ?? {}) };
      if (source.projectKey) rule.projectKey = source.projectKey;
      const { key, name, kind } = source;
      const created = await db.sources.create(caller.organisationId, { key, name, kind, connectionId, rule });
      if (!created) {
        throw new Refusal(
          'conflict',
          'source_exists',
          `The key "${key}" is taken. Choose another one, or use that source.`,
        );
      }
      await routingChanged(caller, [connectionId]);
      return viewOf(created);
    },

    async getRule(caller, sourceKey) {
      demand(caller, 'read');
      return ruleOf(await sourceByKey(db, caller, sourceKey));
    },

    async putRule(caller, sourceKey, change) {
      demand(caller, 'configure');
      const source = await sourceByKey(db, caller, sourceKey);
      const { connection = source.connectionId, ...changed } = defined(change);
      const rule: SyncRule = { ...source.rule, ...defined(changed) };
      if (rule.enabled && !rule.projectKey) {
        throw new Refusal(
          'invalid',
          'project_key_missing',
          'An enabled source needs a Jira project key, or nothing could be pushed. Give projectKey too.',
        );
      }
      const connectionId =
        connection === source.connectionId ? connection : await knownConnection(caller, connection ?? undefined);
      await db.sources.saveRule(source, { rule, connectionId });
      const moved = connectionId !== source.connectionId || rule.projectKey !== source.rule.projectKey;
      if (moved || rule.enabled !== source.rule.enabled) {
        await routingChanged(caller, [source.connectionId, connectionId]);
      }
      return { ...rule, connection: connectionId };
    },
  };

  /** The webhooks of a connection follow the projects that sources are routed to. */
  async function routingChanged(caller: Caller, connectionIds: (string | null)[]): Promise<void> {
    for (const id of new Set(connectionIds)) {
      const connection = id && (await db.connections.find(caller.organisationId, id));
      if (connection) await synchronise(connection, 'routing');
    }
  }

  async function knownConnection(caller: Caller, named: string | undefined): Promise<string | null> {
    if (!named) return null;
    const id = uuid(named, 'The connection');
    const found = await db.connections.find(caller.organisationId, id);
    return orNotFound(found, `The connection ${id}`, 'GET /api/v1/connections lists them.').id;
  }
}

/** The source with a key; refuses one that is not there. */
export async function sourceByKey(db: OperationDeps['db'], caller: Caller, key: string): Promise<SourceRow> {
  const source = await db.sources.find(caller.organisationId, key);
  return orNotFound(source, `The source "${key}"`, 'Check its key; GET /api/v1/sources lists them.');
}

function ruleOf({ rule, connectionId }: SourceRow): RuleView {
  return { ...rule, connection: connectionId };
}

function viewOf(row: SourceRow): SourceView {
  return { key: row.key, name: row.name, kind: row.kind, connection: row.connectionId, rule: row.rule };
}

/** Without the keys whose value is undefined: what is absent stays as it is. */
function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
