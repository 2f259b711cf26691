import { pushDecision } from '../../workflows/rules/push-gate';
import type { OperationDeps } from './deps';
import { findingByName } from './findings';
import { demand, findingName } from './guard';
import { Refusal } from './refusal';
import type { Caller, Operations } from './types';

type Deps = OperationDeps & Pick<Operations, 'getFinding' | 'push'>;

/** What becomes of a finding whose issue was deleted in Jira. */
export function createMissingOperations(deps: Deps): Pick<Operations, 'decideMissing'> {
  const { db, engine, getFinding, push } = deps;

  return {
    async decideMissing(caller, id, decision) {
      demand(caller, decision === 'accept' ? 'approve' : 'push');
      const row = await findingByName(db, caller, id);
      const name = findingName(row.number);
      if (!row.missingSince) throw notMissing(name);
      // Asked first: without its dead link the finding would be open, and nobody would know why nothing follows.
      if (decision === 'recreate') await demandPushable(deps, caller, row);
      const start = await db.findings.forStart(caller.organisationId, row.id);
      const actor = { kind: 'member', id: caller.memberId } as const;
      if (!(await engine.missingDecided(start, { decision, actor }))) throw await decidedOtherwise(db, row.id, name);
      const asked = decision === 'recreate' ? await push(caller, { source: row.sourceKey, findings: [name] }) : null;
      return { finding: await getFinding(caller, name), push: asked };
    },
  };
}

async function demandPushable(
  { db }: OperationDeps,
  caller: Caller,
  finding: { number: number; sourceId: string },
): Promise<void> {
  const [row] = await db.pushes.candidates(caller.organisationId, finding.sourceId, [finding.number]);
  const decision = row ? pushDecision({ ...row, jiraKey: null, status: 'open' }) : null;
  if (decision?.kind === 'refuse') throw new Refusal('conflict', 'not_pushable', decision.reason);
}

function notMissing(name: string): Refusal {
  return new Refusal('conflict', 'issue_not_missing', `${name} waits for no such decision: its issue is not gone.`);
}

const decisions: { [event in string]?: string } = {
  accepted: 'to accept it as it is',
  dropped: 'to drop the link',
  recreate_asked: 'to make a new issue',
};

/** What is told to somebody whose decision came after another one. */
async function decidedOtherwise(db: OperationDeps['db'], findingId: string, name: string): Promise<Refusal> {
  const history = await db.findings.history(findingId);
  const last = history.findLast(({ event }) => event === 'issue_found' || event in decisions);
  const what = last && decisions[last.event];
  if (!what) return notMissing(name);
  const message = `${last.actor} has decided it already: ${what}. Look at ${name} as it is now.`;
  return new Refusal('conflict', 'already_decided', message);
}
