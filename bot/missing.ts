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
    const finding = await ask.operations.decideMissing(ask.caller, id, decision);
    const { reason, jira } = finding;
    // What keeps a new issue from coming stands on the finding.
    const said =
      decision === 'recreate' && reason && !jira
        ? `has no new issue yet: ${foreign(reason, 600)}`
        : decidedWords[decision];
    await ask.reply(notice(`*${finding.id}* ${said}`));
  };
}

/** Takes back that a finding was accepted without its issue: it is open again. */
export const dropDeadLink: ActionHandler = async (ask, id) => {
  const finding = await ask.operations.unlinkFinding(ask.caller, id);
  await ask.reply(notice(`*${finding.id}* ${decidedWords.drop}`));
};
