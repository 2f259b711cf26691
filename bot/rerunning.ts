import type { FindingDetail, SessionView } from '../api/operations/types';
import type { GivenVerdict } from '../workflows/rules/vocabulary';
import { failModal, failOrigin, failView } from './blocks/fail-view';
import { notice } from './blocks/replies';
import { sessionReply, verdictWords } from './blocks/sessions';
import { foreign } from './blocks/text';
import type { Reference } from './command-text';
import { isRefusal, saidInSlack } from './declined';
import { asKept, bySource, type CardLookup, findings } from './find';
import type { ActionHandler, Ask, ViewHandler } from './listener';
import { settled } from './settled';
import { openNow } from './windows';

/** Starts a session for the named findings. One that a session holds already is shown with that session instead. */
export async function rerunNamed(ask: Ask, cards: CardLookup, references: Reference[]): Promise<void> {
  const named = await findings(ask, cards, references);
  const groups = bySource(named.filter(({ session }) => !session));
  // What one source refuses keeps no other from being re-run.
  const { done, said, broken } = await settled(groups.map(([source, group]) => startSession(ask, source, group)));
  const held = new Set(named.map(({ session }) => session?.id).filter((id) => id !== undefined));
  const notes = [
    ...(held.size > 0 ? ['A session holds a finding that you named; here it is.'] : []),
    ...(done.length > 0 ? ['Re-run started.'] : []),
    ...said,
  ];
  const sessions = [...done.flat(), ...(await getSessions(ask, [...held]))];
  if (sessions.length > 0) await ask.reply(sessionReply(sessions, notes.join('\n')));
  else if (notes.length > 0) await ask.reply(notice(notes.join('\n')));
  if (broken.length > 0) throw broken[0];
}

async function startSession(ask: Ask, source: string, group: FindingDetail[]): Promise<SessionView[]> {
  const ids = group.map(({ id }) => id);
  try {
    const session = await ask.operations.createSession(ask.caller, { source, findings: ids });
    return [await ask.operations.startSession(ask.caller, session.id)];
  } catch (error) {
    if (!isRefusal(error) || error.kind !== 'conflict') throw error;
    // Two people pressed at once, or Slack delivered the request twice: the session of the first is the answer.
    const now = await Promise.all(ids.map((id) => ask.operations.getFinding(ask.caller, id)));
    const holding = new Set(now.map(({ session }) => session?.id).filter((id) => id !== undefined));
    if (holding.size === 0) throw error;
    const sessions = await getSessions(ask, [...holding]);
    // The first may not have come to starting it yet, and starting it twice is starting it once.
    const start = ({ id }: SessionView) => ask.operations.startSession(ask.caller, id);
    return Promise.all(sessions.map((each) => (each.status === 'planned' ? start(each) : each)));
  }
}

/** The sessions under way, of all sources or of one, as the Fix Verification panel knows them. */
export async function showSessions(ask: Ask, named?: string): Promise<void> {
  const list = (source?: string) => ask.operations.listVerification(ask.caller, { limit: 100, source });
  const { items } = await (named === undefined ? list() : asKept(ask, named, list));
  const ids = new Set(items.map(({ session }) => session?.id).filter((id) => id !== undefined));
  await ask.reply(sessionReply(await getSessions(ask, [...ids].slice(0, 10))));
}

function getSessions(ask: Ask, ids: string[]): Promise<SessionView[]> {
  return Promise.all(ids.map((id) => ask.operations.getSession(ask.caller, id)));
}

/** A planned session is started by its button; the message that held the button shows it running. */
export const startPlanned: ActionHandler = async (ask, sessionId) => {
  const session = await ask.operations.startSession(ask.caller, sessionId);
  await ask.reply(sessionReply([session]), { replace: true });
};

/** A verdict from a button. `value` is `<finding> <session id>`. */
export function giveVerdict(verdict: GivenVerdict): ActionHandler {
  return async (ask, value) => {
    const { finding, session } = caseOf(value);
    await decide(ask, { finding, session, verdict });
  };
}

/** Fail asks for a note first. The modal has to open within three seconds of the click. */
export const askForFailNote: ActionHandler = async (ask, value) => {
  const { finding, session } = caseOf(value);
  await openNow(ask, failModal({ finding, session, channel: ask.channelId, original: ask.original }));
};

/** The submitted note of a failed re-run, with its verdict. */
export const failWithNote: ViewHandler = async (ask, view) => {
  const { finding, session } = failOrigin(view.private_metadata);
  const note = view.state.values[failView.block]?.[failView.input]?.value?.trim();
  await decide(ask, { finding, session, verdict: 'fail', note: note || undefined });
};

const decidedWords: Record<GivenVerdict, string> = {
  pass: 'passed. The card shows it in a moment.',
  fail: 'failed. It stays flagged, and the cycle goes on.',
  skip: 'skipped in this re-run. It stays flagged.',
  unstable: 'unstable. It stays flagged.',
};

type Decision = { finding: string; session: string; verdict: GivenVerdict; note?: string | undefined };

async function decide(ask: Ask, { finding, session, verdict, note }: Decision): Promise<void> {
  const lost = note ? ` Your note was not kept: “${foreign(note, 2000)}”` : '';
  try {
    const view = await ask.operations.giveVerdicts(ask.caller, session, [{ finding, verdict, note }]);
    const holds = view.cases.find((each) => each.finding === finding)?.verdict ?? verdict;
    const said = holds === verdict ? decidedWords[verdict] : `${verdictWords[holds]}. Somebody was quicker.${lost}`;
    const isLast = view.cases.length === 1;
    const line = `*${finding}* ${said}`;
    await ask.reply(isLast ? notice(line) : sessionReply([view], line), { replace: true });
  } catch (error) {
    if (!isRefusal(error) || !tooLate.includes(error.code)) throw error;
    // What holds stands in place of the buttons that were pressed too late.
    const view = await ask.operations.getSession(ask.caller, session);
    await ask.reply(sessionReply([view], `${foreign(saidInSlack(error), 600)}${lost}`), { replace: true });
  }
}

/** Refusals of who decides second. */
const tooLate = ['verdict_given', 'session_ended'];

/** Reads `<finding> <session id>` back; throws where a button of ours did not write it. */
function caseOf(value: string): { finding: string; session: string } {
  const [finding, session] = value.split(' ');
  if (!finding || !session) throw new Error('The button of a verdict carries no case.');
  return { finding, session };
}
