import { isDeepStrictEqual } from 'node:util';
import type { SourceRow } from '../../prisma/sources';
import type { SyncRule } from '../../workflows/rules/vocabulary';
import type { OperationDeps } from './deps';
import { demand } from './guard';
import { Refusal } from './refusal';
import { createRuleKeeping, defined, warningsOf } from './rule-keeping';
import { refuseUnfitRule } from './rule-refusals';
import { sourceByKey } from './sources';
import type { Caller, Operations, RuleChange, RuleView } from './types';

type RuleOperations = Pick<Operations, 'getRule' | 'putRule'>;

/** Sync rules: as they are, and changed; as a form they are in rule-form.ts. */
export function createRuleOperations(deps: OperationDeps): RuleOperations {
  const { db } = deps;
  const { rulesChecked, routingChanged, knownConnection } = createRuleKeeping(deps);

  /** Null where somebody else changed the rule meanwhile: what is absent from a change stays as *they* left it. */
  async function put(caller: Caller, source: SourceRow, change: RuleChange): Promise<RuleView | null> {
    const rule = changedRule(source.rule, change);
    refuseUnfitRule(rule);
    const { connection: named = source.connectionId } = change;
    const connectionId = named === source.connectionId ? named : await knownConnection(caller, named);
    const allowed = rule.otherConnections ?? [];
    const before = source.rule.otherConnections ?? [];
    for (const id of allowed.filter((each) => !before.includes(each))) await knownConnection(caller, id);
    const saved = { ...source, rule, connectionId };
    if (connectionId === source.connectionId && isDeepStrictEqual(rule, source.rule)) {
      // Asked for again: the first time may have ended half-way.
      await stopAutoPush(deps, caller, source);
      return ruleView(source, warningsOf(source));
    }
    const warnings = asksJira(source, saved) ? await rulesChecked(caller, saved) : [];
    if (rule.grouping !== source.rule.grouping) warnings.push(...(await groupingWarnings(deps, source)));
    const stamped = await db.sources.saveRule(source, { rule, connectionId });
    if (!stamped) return null;
    await stopAutoPush(deps, caller, saved);
    if (!isDeepStrictEqual(routeOf(saved), routeOf(source))) {
      await routingChanged(caller, [source.connectionId, connectionId, ...before, ...allowed]);
    }
    return ruleView({ ...saved, ...stamped }, [...warningsOf(saved), ...warnings]);
  }

  return {
    async getRule(caller, sourceKey) {
      demand(caller, 'read');
      const source = await sourceByKey(db, caller, sourceKey);
      return ruleView(source, warningsOf(source));
    },

    async putRule(caller, sourceKey, change) {
      demand(caller, 'configure');
      for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
        const view = await put(caller, await sourceByKey(db, caller, sourceKey), change);
        if (view) return view;
      }
      throw new Refusal(
        'conflict',
        'rule_changed',
        'Others are changing this rule at the same time. Look at it and try again.',
      );
    },
  };
}

/** How often a change is tried again that met another one. */
const mostAttempts = 5;

function routeOf({ connectionId, rule }: SourceRow) {
  return { connectionId, projectKey: rule.projectKey, enabled: rule.enabled, others: rule.otherConnections ?? [] };
}

/**
 * Off stops at once: what waits for an approval is cancelled by its run, which frees the findings, and what is not being
 * made in Jira yet is not made. The rule is saved by then, so nothing new begins.
 */
async function stopAutoPush(
  { db, engine }: OperationDeps,
  { organisationId, memberId }: Caller,
  source: SourceRow,
): Promise<void> {
  if (source.rule.autoPush) return;
  for (const { id, status } of await db.autoPush.underWay(organisationId, source.id)) {
    const batch = { organisationId, batchId: id, actor: { kind: 'recheck' as const } };
    const cancelled = async () => (await engine.decidePush(batch, 'cancel', { memberId }).catch(notStopped)).status;
    const now = status === 'awaiting_approval' ? await cancelled() : status;
    // Approved at the same moment.
    if (now === 'running') await db.pushes.cancelPending(organisationId, { id, memberId });
  }
}

function notStopped(cause: unknown): never {
  throw new Refusal(
    'unavailable',
    'push_not_cancelled',
    'Auto-push is off, and nothing new is pushed. What waits for approval could not be cancelled, because the engine did not answer: switch it off again in a minute, or cancel that push.',
    { cause },
  );
}

/** Changing the grouping makes no second issue of anything: what has one keeps its grain. */
async function groupingWarnings({ db }: OperationDeps, source: SourceRow): Promise<string[]> {
  if (source.kind === 'suite') return ['Tests are one finding each, whatever the grouping says.'];
  const kept = await db.sources.keptFindings(source);
  const others = 'The next report groups the others anew.';
  if (kept === 0) return [others];
  const findings = kept === 1 ? '1 finding that is in Jira keeps its' : `${kept} findings that are in Jira keep their`;
  return [`${findings} grouping until closed, so that none gets a second issue. ${others}`];
}

function changedRule(rule: SyncRule, change: RuleChange): SyncRule {
  const { warnings: _w, autoPushSince: _s, connection: _c, template, ...changed } = change;
  const { template: kept, ...now } = { ...rule, ...defined(changed) };
  const next = template === undefined ? kept : template;
  return next ? { ...now, template: next } : now;
}

/** Whether a change is one that Jira has a say in. */
function asksJira(before: SourceRow, after: SourceRow): boolean {
  if (!after.connectionId || !after.rule.projectKey) return false;
  if (before.connectionId !== after.connectionId) return true;
  if (after.rule.enabled && !before.rule.enabled) return true;
  const asked = ({ rule }: SourceRow) => [
    ...[rule.projectKey, rule.issueType, rule.component, rule.assignee, rule.priorities, rule.template?.fields],
    rule.labels.length > 0,
  ];
  return !isDeepStrictEqual(asked(before), asked(after));
}

/** A rule as people are shown it. */
export function ruleView({ rule, connectionId, autoPushSince }: SourceRow, warnings: string[]): RuleView {
  return { ...rule, connection: connectionId, warnings, autoPushSince: autoPushSince?.toISOString() ?? null };
}
