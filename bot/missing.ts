import type { FindingDetail, PushView } from '../api/operations/types';
import type { MissingDecision } from '../workflows/rules/vocabulary';
import { notice } from './blocks/replies';
import { foreign } from './blocks/text';
import type { ActionHandler } from './listener';

const decidedWords: Record<MissingDecision, string> = {
  recreate: 'gets a new issue. Its card shows it in a moment.',
  accept: 'is accepted as it is, and blocked.',
  drop: 'has no issue any more, and is open.',
};

/** The answer to the question of a card whose issue was deleted in Jira. `value` is the finding. */
export function decideMissing(decision: MissingDecision): ActionHandler {
  return async (ask, id) => {
    const { finding, push } = await ask.operations.decideMissing(ask.caller, id, decision);
    const said = push ? recreateWords(push, finding) : decidedWords[decision];
    await ask.reply(notice(`*${finding.id}* ${said}`));
  };
}

/** What keeps a new issue from coming: an approval, or what stands on the finding. */
function recreateWords({ status }: PushView, { reason, jira }: FindingDetail): string {
  if (status === 'awaiting_approval') {
    return 'gets a new issue once an admin or owner has approved it: the message of the push in the channel has the buttons.';
  }
  return reason && !jira ? `has no new issue yet: ${foreign(reason, 600)}` : decidedWords.recreate;
}

/** Takes back that a finding was accepted without its issue: it is open again. */
export const dropDeadLink: ActionHandler = async (ask, id) => {
  const finding = await ask.operations.unlinkFinding(ask.caller, id);
  await ask.reply(notice(`*${finding.id}* ${decidedWords.drop}`));
};
