import { createHash } from 'node:crypto';
import type { CandidateRow, PushRow } from '../../prisma/pushes';
import { pushDecision } from '../../workflows/rules/push-gate';
import type { OperationDeps } from './deps';
import { demand, findingName, findingNumber, orNotFound, uuid } from './guard';
import { Refusal } from './refusal';
import { sourceByKey } from './sources';
import type { Caller, Operations, PushRequest, PushView } from './types';

type PushOperations = Pick<Operations, 'previewPush' | 'push' | 'getPush' | 'awaitPush' | 'decidePush'>;

/** A person's single push answers with its key when Jira is quick; the rest is told by the card. */
const singlePushMs = 2500;

/** Pushes: what would happen, starting one, and how it stands. */
export function createPushOperations({ db, engine }: OperationDeps): PushOperations {
  async function decide(caller: Caller, request: PushRequest) {
    const source = await sourceByKey(db, caller, request.source);
    const numbers = request.findings === 'all' ? 'all' : [...new Set(request.findings.map(findingNumber))];
    const rows = await db.pushes.candidates(caller.organisationId, source.id, numbers);
    if (numbers !== 'all') refuseMissing(numbers, rows, request.source);
    return { source, decided: rows.map((row) => ({ row, decision: pushDecision(row) })) };
  }

  async function start(caller: Caller, push: { id: string; findingIds: string[] }): Promise<void> {
    const { organisationId, memberId } = caller;
    const actor = { kind: 'member' as const, id: memberId };
    const [only, ...more] = push.findingIds;
    if (only === undefined) return;
    const batch = { organisationId, batchId: push.id, findingIds: push.findingIds, actor };
    if (more.length > 0) return await engine.pushBatch(batch);
    const askId = await db.pushes.askId(push.id, only);
    if (askId === null) return;
    const finding = await db.findings.forStart(organisationId, only);
    const ended = await engine.push(finding, { askId, batchId: push.id, actor, waitMs: singlePushMs });
    // Not answered in time: the request may not have been taken, and only a workflow remembers to ask again.
    if (ended === null) await engine.pushBatch(batch);
  }

  async function view(caller: Caller, id: string): Promise<PushView> {
    const row = await db.pushes.find(caller.organisationId, uuid(id, 'The push'));
    return viewOf(orNotFound(row, `The push ${id}`, 'Check the id that the push answered.'));
  }

  return {
    async previewPush(caller, request) {
      demand(caller, 'read');
      const { decided } = await decide(caller, request);
      const preview: Awaited<ReturnType<Operations['previewPush']>> = { create: [], reuse: [], refuse: [] };
      for (const { row, decision } of decided) {
        const finding = findingName(row.number);
        if (decision.kind === 'create') preview.create.push(finding);
        else if (decision.kind === 'reuse') preview.reuse.push({ finding, jiraKey: decision.jiraKey });
        else preview.refuse.push({ finding, reason: decision.reason });
      }
      return preview;
    },

    async push(caller, request) {
      demand(caller, 'push');
      const { source, decided } = await decide(caller, request);
      const push = await db.pushes.create(caller.organisationId, {
        id: request.requestId ? idOf(caller, request.requestId) : undefined,
        sourceId: source.id,
        kind: request.findings === 'all' ? 'bulk' : decided.length === 1 ? 'single' : 'picked',
        memberId: caller.memberId,
        note: request.note ?? null,
        items: decided.map(({ row, decision }) => {
          const { findingId } = row;
          if (decision.kind === 'reuse') return { findingId, outcome: 'reused', jiraKey: decision.jiraKey };
          if (decision.kind === 'refuse') return { findingId, outcome: 'refused', reason: decision.reason };
          return { findingId, outcome: 'pending' };
        }),
      });
      // What is held goes to its lifecycle too: that writes down why it waits.
      const starts = ['create', 'held'];
      const findingIds = decided
        .filter(({ decision }) => starts.includes(decision.kind))
        .map(({ row }) => row.findingId);
      await start(caller, { id: push.id, findingIds });
      return await view(caller, push.id);
    },

    async getPush(caller, id) {
      demand(caller, 'read');
      return await view(caller, id);
    },

    async awaitPush(caller, id, ms) {
      demand(caller, 'read');
      const end = Date.now() + ms;
      for (;;) {
        const push = await view(caller, id);
        const isUnderWay = push.items.some(({ outcome }) => outcome === 'pending');
        if (push.status !== 'running' || !isUnderWay || Date.now() >= end) return push;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },

    async decidePush(caller, id, decision) {
      demand(caller, decision === 'approve' || decision === 'reject' ? 'approve' : 'push');
      const before = await view(caller, id);
      if (decision === 'cancel') {
        const stopped = await db.pushes.cancelPending(caller.organisationId, { id, memberId: caller.memberId });
        if (stopped === 0) throw nothingTo('cancel', 'No item of this push is waiting.');
      } else if (decision === 'retry') {
        const findingIds = await db.pushes.retryFailed(caller.organisationId, id);
        if (findingIds.length === 0) throw nothingTo('retry', 'No item of this push failed.');
        await start(caller, { id, findingIds });
      } else throw nothingTo(decision, `This push is ${before.status}; it waits for nobody's approval.`);
      return await view(caller, id);
    },
  };
}

function refuseMissing(numbers: number[], rows: CandidateRow[], source: string): void {
  const known = new Set(rows.map((row) => row.number));
  const missing = numbers.filter((number) => !known.has(number)).map(findingName);
  if (missing.length === 0) return;
  throw new Refusal(
    'not_found',
    'finding_not_found',
    `The source "${source}" has no finding ${missing.join(', ')}. Check the numbers.`,
  );
}

function nothingTo(what: string, why: string): Refusal {
  return new Refusal('conflict', `nothing_to_${what}`, `There is nothing to ${what}. ${why}`);
}

/** A UUID made from a request's id, so that a redelivered request is the same push. */
function idOf(caller: Caller, requestId: string): string {
  const hex = createHash('sha256').update(`${caller.organisationId} ${requestId}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function viewOf(row: PushRow): PushView {
  return {
    id: row.id,
    status: row.status,
    items: row.items.map(({ number, outcome, jiraKey, reason }) => ({
      finding: findingName(number),
      outcome,
      ...(jiraKey ? { jiraKey } : {}),
      ...(reason ? { reason } : {}),
    })),
  };
}
