import type { PanelRow, SessionRow } from '../../prisma/sessions';
import type { OperationDeps } from './deps';
import { demand, findingName, findingNumber, numberPageOf, orNotFound, toPage, uuid } from './guard';
import { Refusal } from './refusal';
import { sourceByKey } from './sources';
import type { Caller, Operations, SessionView, VerificationRow } from './types';

type SessionOperations = Pick<
  Operations,
  'listVerification' | 'createSession' | 'getSession' | 'startSession' | 'cancelSession' | 'giveVerdicts'
>;

/** The Fix Verification panel, and re-run sessions with a person's verdicts. */
export function createSessionOperations({ db, engine }: OperationDeps): SessionOperations {
  async function open(caller: Caller, id: string, act: string): Promise<SessionRow> {
    return stillOpen(await sessionById(db, caller, id), act);
  }
  const again = async (caller: Caller, id: string) => sessionView(await sessionById(db, caller, id));

  return {
    async listVerification(caller, filter) {
      demand(caller, 'read');
      const { limit, after } = numberPageOf(filter);
      const sourceId = filter.source ? (await sourceByKey(db, caller, filter.source)).id : undefined;
      const rows = await db.sessions.panel(caller.organisationId, { sourceId, after, limit: limit + 1 });
      return toPage(rows, limit, (row) => row.number, panelView);
    },

    async createSession(caller, request) {
      demand(caller, 'rerun');
      const source = await sourceByKey(db, caller, request.source);
      const numbers = [...new Set(request.findings.map(findingNumber))];
      const found = (await db.findings.byNumbers(caller.organisationId, numbers)).filter(
        (row) => row.sourceId === source.id,
      );
      const missing = numbers.filter((number) => !found.some((row) => row.number === number));
      if (missing.length > 0) {
        const names = missing.map(findingName).join(', ');
        throw new Refusal(
          'not_found',
          'finding_not_found',
          `The source "${source.key}" has no finding ${names}. Check the numbers.`,
        );
      }
      const made = await db.sessions.create(caller.organisationId, {
        sourceId: source.id,
        findings: found.map(({ id, number }) => ({ id, number })),
        suite: request.suite ?? null,
        memberId: caller.memberId,
      });
      if (made.kind === 'held') {
        throw new Refusal(
          'conflict',
          'session_open',
          `${findingName(made.number)} is in the open session ${made.sessionId}. Use that one.`,
        );
      }
      if (made.kind === 'not_flagged') {
        throw new Refusal(
          'conflict',
          'not_flagged',
          `${findingName(made.number)} is ${made.status}, not needs_rerun: nobody claims that it is fixed. Only flagged findings can be re-run.`,
        );
      }
      await engine.ensureSession({ organisationId: caller.organisationId, sessionId: made.sessionId });
      return await again(caller, made.sessionId);
    },

    async getSession(caller, id) {
      demand(caller, 'read');
      return await again(caller, id);
    },

    async startSession(caller, id) {
      demand(caller, 'rerun');
      const session = await open(caller, id, 'start');
      await engine.startSession({ organisationId: caller.organisationId, sessionId: session.id });
      // It may have ended while this was on its way, and that is answered like a moment later.
      return sessionView(await open(caller, id, 'start'));
    },

    async cancelSession(caller, id) {
      demand(caller, 'rerun');
      const session = await open(caller, id, 'cancel');
      await engine.cancelSession({ organisationId: caller.organisationId, sessionId: session.id });
      const now = await sessionById(db, caller, id);
      return sessionView(now.status === 'cancelled' ? now : stillOpen(now, 'cancel'));
    },

    async giveVerdicts(caller, id, given) {
      demand(caller, 'verdict');
      const session = await open(caller, id, 'decide');
      const { rule } = await sourceByKey(db, caller, session.sourceKey);
      if (rule.verifier === 'report' && given.some(({ verdict }) => verdict === 'pass')) {
        const why =
          'Fixes of this source are proven by reports alone, so nobody can pass a case by hand. Send the report of the re-run to the session or to the source; an admin can change who verifies in the sync rule';
        const said = { http: `${why} ("verifier").`, slack: `${why} (\`/recheck rules SOURCE\`).` };
        throw new Refusal('conflict', 'verified_by_report', said);
      }
      const numbers = given.map(({ finding }) => findingNumber(finding));
      const twice = numbers.find((number, index) => numbers.indexOf(number) !== index);
      if (twice !== undefined) {
        throw new Refusal(
          'invalid',
          'finding_twice',
          `${findingName(twice)} is in this more than once, and a case has one verdict. Give each finding once.`,
        );
      }
      const verdicts = given.map(({ finding, verdict, note }) => {
        const held = caseOf(session, finding);
        if (held.verdict) throw verdictGiven(finding, held.verdict);
        return { findingId: held.findingId, verdict, ...(note ? { note } : {}) };
      });
      await engine.verdicts(
        { organisationId: caller.organisationId, sessionId: session.id },
        { verdicts, memberId: caller.memberId, reportId: null },
      );
      const now = await sessionById(db, caller, id);
      // Somebody else was quicker, so that none of these was stored: answered like a moment later.
      const lost = given.map(({ finding, verdict }) => ({ finding, verdict, held: caseOf(now, finding).verdict }));
      const other = lost.find(({ verdict, held }) => held !== verdict && held !== null);
      if (other?.held) throw verdictGiven(other.finding, other.held);
      if (lost.some(({ held }) => held === null)) stillOpen(now, 'decide');
      return sessionView(now);
    },
  };
}

function stillOpen(session: SessionRow, act: string): SessionRow {
  if (session.status === 'completed' || session.status === 'cancelled') {
    const why = `The session is ${session.status}, so there is nothing to ${act}.`;
    const named = session.cases.filter(({ verdict }) => verdict !== 'pass').map(({ number }) => findingName(number));
    const again = `/recheck rerun ${named.slice(0, RERUN_NAMED).join(' ') || 'F-12'}`;
    throw new Refusal('conflict', 'session_ended', {
      http: `${why} Make a new one with POST /api/v1/sessions.`,
      slack: `${why} Start a new one: \`${again}\`.`,
    });
  }
  return session;
}

/** How many findings the way to a new session names. */
const RERUN_NAMED = 5;

function caseOf(session: SessionRow, finding: string): SessionRow['cases'][number] {
  const number = findingNumber(finding);
  const held = session.cases.find((each) => each.number === number);
  if (!held) throw new Refusal('not_found', 'case_not_found', `The session has no case for ${finding}.`);
  return held;
}

function verdictGiven(finding: string, held: string): Refusal {
  return new Refusal('conflict', 'verdict_given', `${finding} has its verdict already: ${held}.`);
}

/** The session with an id; refuses one that is not there. */
export async function sessionById(db: OperationDeps['db'], caller: Caller, id: string): Promise<SessionRow> {
  const sessionId = uuid(id, 'The session');
  const session = await db.sessions.find({ organisationId: caller.organisationId, sessionId });
  return orNotFound(session, `The session ${id}`, 'Check the id that creating it answered.');
}

export function sessionView(row: SessionRow): SessionView {
  return {
    id: row.id,
    source: row.sourceKey,
    suite: row.suite,
    status: row.status,
    verifier: row.verifier,
    cases: row.cases.map(({ number, claim, verdict }) => ({ finding: findingName(number), claim, verdict })),
  };
}

function panelView(row: PanelRow): VerificationRow {
  return {
    finding: findingName(row.number),
    title: row.title,
    jiraKey: row.jiraKey,
    claimedBy: row.claimedBy,
    claimedAt: row.claimedAt?.toISOString() ?? null,
    session: row.sessionId && row.sessionStatus ? { id: row.sessionId, status: row.sessionStatus } : null,
    lastVerdict: row.lastVerdict,
  };
}
