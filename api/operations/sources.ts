import type { SourceRow } from '../../prisma/sources';
import { defaultRule, type SyncRule } from '../../workflows/rules/vocabulary';
import type { OperationDeps } from './deps';
import { demand, orNotFound, pageOf, toPage } from './guard';
import { Refusal } from './refusal';
import { createRuleKeeping, defined, warningsOf } from './rule-keeping';
import { refuseBadTemplate } from './rule-refusals';
import type { Caller, Operations, SourceView } from './types';

type SourceOperations = Pick<Operations, 'listSources' | 'createSource'>;

/** Sources; their sync rules are in rules.ts. */
export function createSourceOperations(deps: OperationDeps): SourceOperations {
  const { db } = deps;
  const { rulesChecked, routingChanged, knownConnection } = createRuleKeeping(deps);

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
      refuseBadTemplate(rule.template);
      const others = rule.otherConnections ?? [];
      for (const id of others) await knownConnection(caller, id);
      if (rule.enabled) await rulesChecked(caller, { connectionId, rule });
      const { key, name, kind } = source;
      const created = await db.sources.create(caller.organisationId, { key, name, kind, connectionId, rule });
      if (!created) {
        throw new Refusal(
          'conflict',
          'source_exists',
          `The key "${key}" is taken. Choose another one, or use that source.`,
        );
      }
      await routingChanged(caller, [connectionId, ...others]);
      return viewOf(created);
    },
  };
}

/** The source with a key; refuses one that is not there. */
export async function sourceByKey(db: OperationDeps['db'], caller: Caller, key: string): Promise<SourceRow> {
  const source = await db.sources.find(caller.organisationId, key);
  return orNotFound(source, `The source "${key}"`, {
    http: 'Check its key; GET /api/v1/sources lists them.',
    slack: 'Check its key; `/recheck rules` shows them.',
  });
}

function viewOf(row: SourceRow): SourceView {
  const { key, name, kind, rule } = row;
  return { key, name, kind, connection: row.connectionId, rule, warnings: warningsOf(row) };
}
