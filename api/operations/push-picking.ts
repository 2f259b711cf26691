import type { CandidateRow } from '../../prisma/pushes';
import type { SourceRow } from '../../prisma/sources';
import { pushDecision } from '../../workflows/rules/push-gate';
import { severities } from '../../workflows/rules/vocabulary';
import type { OperationDeps } from './deps';
import { demand, findingName } from './guard';
import { starts } from './pushes';
import { sourceByKey } from './sources';
import type { Operations, PushChoices } from './types';

type PushPicking = Pick<Operations, 'pushChoices' | 'waitingPushes'>;

const WAITING = 50;
const NAMED = 3;

/** What a person chooses from before a push, and what waits for an admin. */
export function createPushPicking({ db }: Pick<OperationDeps, 'db'>): PushPicking {
  async function others(organisationId: string, { connectionId, rule }: SourceRow): Promise<PushChoices['others']> {
    const allowed = (rule.otherConnections ?? []).filter((id) => id !== connectionId);
    if (allowed.length === 0) return [];
    const rows = await db.connections.list(organisationId, { limit: 200 });
    const usable = rows.filter(({ id, status }) => allowed.includes(id) && status !== 'disconnected');
    return usable.map(({ id, siteUrl, projectKey, status }) => ({
      ...{ connection: id, name: new URL(siteUrl).host, projectKey, status },
    }));
  }
  return {
    async pushChoices(caller, sourceKey) {
      demand(caller, 'read');
      const { organisationId } = caller;
      const source = await sourceByKey(db, caller, sourceKey);
      const rows = await db.pushes.candidates(organisationId, source.id, 'all');
      const decided = rows.map((row) => ({ row, decision: pushDecision(row) }));
      // What is held can be pushed: it waits for the connection, and then goes by itself.
      const ready = decided.filter(({ decision }) => starts(decision)).map(({ row }) => row);
      const held = decided.flatMap(({ decision }) => (decision.kind === 'held' ? [decision.reason] : []));
      const details = await db.pushes.choices(
        organisationId,
        ready.map((row) => row.findingId),
      );
      const byId = new Map(details.map((row) => [row.findingId, row]));
      const refused = new Map<string, string[]>();
      for (const { row, decision } of decided) {
        if (decision.kind !== 'refuse') continue;
        const named = refused.get(decision.reason) ?? [];
        named.push(findingName(row.number));
        refused.set(decision.reason, named);
      }
      return {
        source: { key: source.key, name: source.name },
        projectKey: source.rule.projectKey,
        others: await others(organisationId, source),
        ready: ready.sort(bySeverity).flatMap(({ findingId, number, severity }): PushChoices['ready'] => {
          const { title = '', rule = '', pages = 0, wcag = [] } = byId.get(findingId) ?? {};
          return [{ finding: findingName(number), title, rule, severity, pages, wcag }];
        }),
        held: held[0] ?? null,
        linked: decided.filter(({ decision }) => decision.kind === 'reuse').length,
        refused: [...refused]
          .map(([reason, findings]) => ({ reason, count: findings.length, findings: findings.slice(0, NAMED) }))
          .sort((a, b) => b.count - a.count),
      };
    },

    async waitingPushes(caller) {
      demand(caller, 'read');
      return await db.pushes.awaitingApproval(caller.organisationId, WAITING);
    },
  };
}

function bySeverity(a: CandidateRow, b: CandidateRow): number {
  return severities.indexOf(a.severity) - severities.indexOf(b.severity) || a.number - b.number;
}
