import { createHash } from 'node:crypto';
import type { CandidateRow, PushRow } from '../../prisma/pushes';
import type { Actor } from '../../workflows/rules/lifecycle';
import { isAllowed } from '../../workflows/rules/permissions';
import { needsApproval, type PushDecision, pushDecision } from '../../workflows/rules/push-gate';
import type { PushStatus } from '../../workflows/rules/vocabulary';
import type { OperationDeps } from './deps';
import { connectionCure, demand, findingName, findingNumber, orNotFound, uuid } from './guard';
import { Refusal } from './refusal';
import { sourceByKey } from './sources';
import type { Caller, NewPushRequest, Operations, PushRequest, PushView } from './types';

type PushOperations = Pick<Operations, 'previewPush' | 'push' | 'getPush' | 'awaitPush' | 'decidePush'>;

/** A person's single push answers with its key when Jira is quick; the rest is told by the card. */
const singlePushMs = 2500;
/** Nobody waits longer than this for the engine to take a push: it is stored, and the sweep hands it over. */
const handOverMs = 3000;

/** Pushes: what would happen, starting one, and how it stands. */
export function createPushOperations({ db, engine, log }: OperationDeps): PushOperations {
  async function decide(caller: Caller, request: PushRequest) {
    const source = await sourceByKey(db, caller, request.source);
    const numbers = request.findings === 'all' ? 'all' : [...new Set(request.findings.map(findingNumber))];
    const chosen = request.connection === undefined ? null : await known(caller, request.connection);
    const rows = await db.pushes.candidates(caller.organisationId, source.id, numbers, chosen);
    if (numbers !== 'all') refuseMissing(numbers, rows, request.source);
    return { source, chosen, decided: rows.map((row) => ({ row, decision: pushDecision(row) })) };
  }

  async function known({ organisationId }: Caller, connection: string): Promise<string> {
    const id = uuid(connection, 'The connection');
    const found = await db.connections.find(organisationId, id);
    return orNotFound(found, `The connection ${id}`, connectionCure).id;
  }

  async function start(caller: Caller, row: PushRow): Promise<void> {
    const waiting = row.items.filter(({ outcome }) => outcome === 'pending');
    const [only, ...more] = waiting;
    const batch = batchOf(caller, row);
    if (only === undefined || (row.status !== 'running' && row.status !== 'awaiting_approval')) return;
    if (row.status === 'awaiting_approval' || more.length > 0) {
      await engine.pushBatch(batch);
      return;
    }
    const askId = await db.pushes.askId(row.id, only.findingId);
    if (askId === null) return;
    const { batchId, actor } = batch;
    const finding = await db.findings.forStart(caller.organisationId, only.findingId);
    const ended = await engine.push(finding, { askId, batchId, actor, waitMs: singlePushMs });
    // Not answered in time: the request may not have been taken, and only a workflow remembers to ask again.
    if (ended === null) await engine.pushBatch(batch);
  }

  /** What is stored is pushed, now or by the sweep: an engine that is away is no reason to have it asked for again. */
  async function handOver(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, handOverMs);
    });
    const taken = work.catch((error: unknown) => log.warn({ err: error }, 'the engine takes a push later'));
    await Promise.race([taken, patience]);
    clearTimeout(timer);
  }

  async function stop({ organisationId, memberId }: Caller, { id }: PushRow): Promise<void> {
    const stopped = await db.pushes.cancelPending(organisationId, { id, memberId });
    if (stopped === 0) throw nothingTo('cancel', 'No item of this push is waiting.');
  }

  /** Approves, rejects or cancels. */
  async function judge(
    caller: Caller,
    push: PushRow,
    { decision, note }: { decision: keyof typeof decidedAs; note: string | undefined },
  ): Promise<void> {
    const { memberId, organisationId } = caller;
    const waits = push.status === 'awaiting_approval';
    if (decision === 'cancel') {
      if (!waits) return await stop(caller, push);
      refuseUninvolved(caller, push);
    }
    if (decision === 'approve' && push.requestedById === memberId && (waits || push.decision)) {
      throw ownPush(await db.pushes.otherApprovers(organisationId, memberId));
    }
    if (waits) {
      const given = { memberId, ...(note ? { note } : {}) };
      const { status } = await engine.decidePush(batchOf(caller, push), decision, given);
      refuseOther(decision, status);
    } else if (push.decision !== decidedAs[decision]) {
      throw nothingTo(decision, `This push is ${push.status}; it waits for nobody's approval.`);
    }
  }

  async function find(caller: Caller, id: string): Promise<PushRow> {
    const row = await db.pushes.find(caller.organisationId, uuid(id, 'The push'));
    return orNotFound(row, `The push ${id}`, 'Check the id that the push answered.');
  }
  const view = async (caller: Caller, id: string): Promise<PushView> => viewOf(await find(caller, id));

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
      const { source, chosen, decided } = await decide(caller, request);
      const ready = decided.filter(({ decision }) => starts(decision));
      const push = await db.pushes.create(caller.organisationId, {
        id: request.requestId ? idOf(caller, request.requestId) : undefined,
        sourceId: source.id,
        kind: kindOf(request, decided.length),
        memberId: caller.memberId,
        needsApproval: needsApproval(source.rule.approval, ready.length),
        note: request.note ?? null,
        connectionId: chosen,
        items: decided.map(({ row, decision }) => {
          const { findingId } = row;
          if (decision.kind === 'reuse') return { findingId, outcome: 'reused', jiraKey: decision.jiraKey };
          if (decision.kind === 'refuse') return { findingId, outcome: 'refused', reason: decision.reason };
          return { findingId, outcome: 'pending' };
        }),
      });
      const stored = await find(caller, push.id);
      if (push.existed) refuseOtherRequest(stored, caller, { request, source, chosen });
      await handOver(start(caller, stored));
      return await view(caller, push.id);
    },

    async getPush(caller, id) {
      demand(caller, 'read');
      return await view(caller, id);
    },

    async awaitPush(caller, id, ms) {
      demand(caller, 'read');
      const end = Date.now() + ms;
      const push = uuid(id, 'The push');
      while (Date.now() < end && (await db.pushes.isUnderWay(caller.organisationId, push))) {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      return await view(caller, push);
    },

    async decidePush(caller, id, decision, note) {
      demand(caller, decision === 'approve' || decision === 'reject' ? 'approve' : 'push');
      const before = await find(caller, id);
      const { organisationId } = caller;
      if (decision === 'retry') {
        const findingIds = await db.pushes.retryFailed(organisationId, before.id);
        if (findingIds.length === 0) throw nothingTo('retry', 'No item of this push failed.');
        await handOver(engine.resumePush(batchOf(caller, before)));
      } else await judge(caller, before, { decision, note });
      return await view(caller, id);
    },
  };
}

/** A key that was used names the push of then: the same one is answered, anything else is another push. */
function refuseOtherRequest(
  stored: PushRow,
  caller: Caller,
  asked: { request: NewPushRequest; source: { id: string }; chosen: string | null },
): void {
  const { request, source, chosen } = asked;
  const { findings } = request;
  const isSame =
    stored.sourceId === source.id &&
    stored.requestedById === caller.memberId &&
    stored.note === (request.note ?? null) &&
    stored.connectionId === chosen &&
    stored.kind === kindOf(request, stored.items.length) &&
    (findings === 'all' || isSameSet(findings.map(findingNumber), stored.items));
  if (isSame) return;
  throw new Refusal(
    'conflict',
    'idempotency_key_used',
    'This Idempotency-Key was used for another push. Use a new key for a new push, or send the same request again.',
  );
}

function isSameSet(numbers: number[], items: { number: number }[]): boolean {
  const wanted = new Set(numbers);
  return wanted.size === items.length && items.every(({ number }) => wanted.has(number));
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

const decidedAs = { approve: 'approved', reject: 'rejected', cancel: 'cancelled' } as const;

/** Two decided at the same moment: who came second and wanted the same has it, anything else was decided already. */
function refuseOther(decision: keyof typeof decidedAs, status: PushStatus): void {
  const isApproved = status === 'running' || status === 'completed';
  if (decision === 'approve' ? isApproved : status === decidedAs[decision]) return;
  throw nothingTo(decision, `Somebody was quicker: this push is ${status} now.`);
}

function ownPush(otherApprovers: number): Refusal {
  const cure =
    otherApprovers > 0
      ? 'You can cancel it.'
      : 'There is no other one yet: make somebody admin or owner, or cancel it and have the approval in the sync rule changed.';
  const why = 'You asked for this push, so another admin or owner has to approve it.';
  return new Refusal('forbidden', 'own_push', `${why} ${cure}`);
}

/** A push that was cancelled before its approval cannot be resumed: that is not for everybody to do. */
function refuseUninvolved({ memberId, role }: Caller, { requestedById }: PushRow): void {
  if (requestedById === memberId || isAllowed(role, 'approve')) return;
  throw new Refusal(
    'forbidden',
    'not_your_push',
    'This push waits for an approval, and somebody else asked for it. Only they, an admin or an owner can cancel it: ask one of them.',
  );
}

/** What is held goes to its lifecycle too: that writes down why it waits. */
export function starts({ kind }: PushDecision): boolean {
  return kind === 'create' || kind === 'held';
}

function kindOf(request: NewPushRequest, count: number): 'single' | 'bulk' | 'picked' {
  if (request.findings === 'all') return 'bulk';
  return count === 1 ? 'single' : 'picked';
}

/** Its run acts for whoever asked for it, not for whoever approves or retries it. */
function batchOf({ organisationId }: Caller, { id, requestedById }: PushRow) {
  const actor: Actor = requestedById ? { kind: 'member', id: requestedById } : { kind: 'recheck' };
  return { organisationId, batchId: id, actor };
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
