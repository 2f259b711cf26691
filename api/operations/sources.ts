import type { SourceRow } from '../../prisma/sources';
import { defaultRule, type SyncRule } from '../../workflows/rules/vocabulary';
import type { OperationDeps } from './deps';
import { demand, orNotFound, pageOf, toPage, uuid } from './guard';
import { Refusal } from './refusal';
import type { Caller, NewSource, Operations, SourceView } from './types';

type SourceOperations = Pick<Operations, 'listSources' | 'createSource' | 'getRule' | 'putRule'>;

/** Sources and their sync rules. */
export function createSourceOperations({ db }: OperationDeps): SourceOperations {
  return {
    async listSources(caller, page) {
      demand(caller, 'read');
      const { limit, after } = pageOf(page);
      const rows = await db.sources.list(caller.organisationId, { after, limit: limit + 1 });
      return toPage(rows, limit, (row) => row.key, viewOf);
    },

    async createSource(caller, source) {
      demand(caller, 'configure');
      const connectionId = await knownConnection(caller, source);
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
      return viewOf(created);
    },

    async getRule(caller, sourceKey) {
      demand(caller, 'read');
      return (await sourceByKey(db, caller, sourceKey)).rule;
    },

    async putRule(caller, sourceKey, change) {
      demand(caller, 'configure');
      const source = await sourceByKey(db, caller, sourceKey);
      const rule: SyncRule = { ...source.rule, ...defined(change) };
      if (rule.enabled && !rule.projectKey) {
        throw new Refusal(
          'invalid',
          'project_key_missing',
          'An enabled source needs a Jira project key, or nothing could be pushed. Give projectKey too.',
        );
      }
      await db.sources.saveRule(source, rule);
      return rule;
    },
  };

  async function knownConnection(caller: Caller, source: NewSource): Promise<string | null> {
    if (!source.connection) return null;
    const id = uuid(source.connection, 'The connection');
    const found = await db.connections.find(caller.organisationId, id);
    return orNotFound(found, `The connection ${id}`, 'GET /api/v1/connections lists them.').id;
  }
}

/** The source with a key; refuses one that is not there. */
export async function sourceByKey(db: OperationDeps['db'], caller: Caller, key: string): Promise<SourceRow> {
  const source = await db.sources.find(caller.organisationId, key);
  return orNotFound(source, `The source "${key}"`, 'Check its key; GET /api/v1/sources lists them.');
}

function viewOf(row: SourceRow): SourceView {
  return { key: row.key, name: row.name, kind: row.kind, connection: row.connectionId, rule: row.rule };
}

/** Without the keys whose value is undefined: what is absent stays as it is. */
function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
