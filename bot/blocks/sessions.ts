import type { types } from '@slack/bolt';
import type { SessionView } from '../../api/operations/types';
import type { SessionStatus, Verdict } from '../../workflows/rules/vocabulary';
import { actions, button, context, section } from './elements';
import { findingActions } from './finding-card';
import { count, foreign, type Message } from './text';

export const sessionActions = { start: 'session.start' } as const;

const statusWords: Record<SessionStatus, string> = {
  planned: 'planned, not started',
  in_progress: 'in progress',
  completed: 'completed',
  cancelled: 'cancelled',
};

/** The verdict of a case as people say it. */
export const verdictWords: Record<Verdict, string> = {
  pass: 'passed',
  fail: 'failed: still there',
  skip: 'skipped',
  unstable: 'unstable: passed and failed',
  withdrawn: 'withdrawn: nobody claims any more that it is fixed',
};

const SHOWN = 12;

/**
 * Sessions with their cases; an undecided case has its Pass and Fail, a planned session its Start. What is undecided
 * comes first: where there are more cases than fit, the next ones come up as those are decided.
 */
export function sessionReply(sessions: SessionView[], note?: string): Message {
  const blocks: types.KnownBlock[] = note ? [section(note)] : [];
  const texts = note ? [note] : [];
  let room = SHOWN;
  for (const session of sessions) {
    const head = sessionLine(session);
    texts.push(head.replaceAll('*', ''));
    if (room <= 0) continue;
    blocks.push(section(head, session.status === 'planned' ? startButton(session) : undefined));
    const shown = undecidedFirst(session.cases).slice(0, room);
    room -= shown.length;
    for (const each of shown) {
      const line = caseLine(each);
      texts.push(line.replaceAll('*', ''));
      blocks.push(section(line));
      if (!each.verdict && session.status === 'in_progress') blocks.push(verdictButtons(each.finding, session));
    }
  }
  const left = sessions.flatMap((session) => session.cases).length - SHOWN;
  if (left > 0) {
    const more = `${count(left, 'more case')}: \`/recheck sessions\` shows them when these are decided.`;
    texts.push(more);
    blocks.push(context(more));
  }
  if (blocks.length === 0) blocks.push(section('No session is under way.'));
  const text = texts.join('\n').slice(0, 3900);
  return { text: text || 'No session is under way.', blocks };
}

function undecidedFirst(cases: SessionView['cases']): SessionView['cases'] {
  return [...cases.filter(({ verdict }) => !verdict), ...cases.filter(({ verdict }) => verdict)];
}

function caseLine({ finding, verdict }: SessionView['cases'][number]): string {
  return `*${finding}*: ${verdict ? verdictWords[verdict] : 'waits for a verdict'}`;
}

function sessionLine(session: SessionView): string {
  const suite = session.suite ? `, suite ${foreign(session.suite, 80)}` : '';
  const open = session.cases.filter((each) => each.verdict === null).length;
  const byReport = open > 0 && session.verifier === 'report' ? ' (only a report can pass, not a person)' : '';
  const waiting = session.status === 'in_progress' ? `, ${open} to decide${byReport}` : '';
  return `*Re-run of ${foreign(session.source, 80)}*${suite}: ${statusWords[session.status]}, ${count(session.cases.length, 'case')}${waiting}`;
}

function startButton(session: SessionView): types.Button {
  const about = `the re-run of ${session.source}`;
  return button({ action: sessionActions.start, label: 'Start', about, value: session.id, style: 'primary' });
}

/** A Pass only where a person may pass; who else would press it only to be refused is told how it passes. */
function verdictButtons(finding: string, { id, verifier }: SessionView): types.ActionsBlock {
  const value = `${finding} ${id}`;
  const pass = { action: findingActions.pass, label: 'Pass', about: `${finding} is fixed`, value };
  return actions([
    ...(verifier === 'person' ? [button({ ...pass, style: 'primary' })] : []),
    button({ action: findingActions.fail, label: 'Fail', about: `${finding} is still there`, value }),
  ]);
}
