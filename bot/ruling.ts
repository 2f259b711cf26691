import type { types, ViewOutput } from '@slack/bolt';
import type { RuleChange, RuleView } from '../api/operations/types';
import { isAllowed } from '../workflows/rules/permissions';
import { section } from './blocks/elements';
import { ruleModal, ruleView } from './blocks/rule-form';
import { ruleChangeOf, ruleOrigin, ruleValues, ruleWith, templateKept } from './blocks/rule-values';
import { issuePreview, previewTitle, reading, ruleList, ruleReading, ruleSaved } from './blocks/rules';
import { isRefusal } from './declined';
import type { ActionHandler, Ask, ViewHandler } from './listener';
import { openAndFill, refill } from './windows';

const MANY = 50;

/** The rules of all sources, or the one of a source as a window. */
export async function showRules(ask: Ask, source?: string): Promise<void> {
  if (source) return openRule(ask, source);
  const { items, nextCursor } = await ask.operations.listSources(ask.caller, { limit: MANY });
  await ask.reply(ruleList(items, { mayEdit: mayEdit(ask), hasMore: nextCursor !== null }));
}

/** The form of a rule for who may change it, the rule in words for everybody else. `source` is the key. */
export const openRule: ActionHandler = (ask, source) =>
  openAndFill(ask, ruleView.title, async () => {
    if (!mayEdit(ask)) return ruleReading(source, await ask.operations.getRule(ask.caller, source));
    const form = await ask.operations.ruleForm(ask.caller, source);
    return ruleModal({ form, origin: { source, channel: ask.channelId, turn: 0 } });
  });

/** Another connection, project or issue type: what can be chosen, and what Jira requires, is asked anew. */
export const askJiraAnew: ActionHandler = async (ask) => {
  if (ask.view) await refill(ask, await filledAnew(ask, ask.view));
};

/** Shows an issue as the form would make it, in a window on top. */
export const previewRule: ActionHandler = (ask, source) =>
  openAndFill(
    ask,
    previewTitle,
    async () => {
      const { rule } = await ask.operations.ruleForm(ask.caller, source);
      const change = ask.view ? changeOf(ask.view, rule) : {};
      const { template } = ruleWith(rule, change);
      return issuePreview(await ask.operations.previewIssue(ask.caller, source, { template }));
    },
    'push',
  );

/** What the submitted form shows while Jira is asked. */
export function savingRule(): types.ModalView {
  return reading([section('Saving… Jira is asked whether the rule fits.')]);
}

/** Saves the submitted rule. What is refused brings the form back, with the reason and with what Jira requires now. */
export const saveRule: ViewHandler = async (ask, view) => {
  const { source } = ruleOrigin(view);
  const fill = (window: types.ModalView) => ask.client.views.update({ view_id: view.id, view: window });
  try {
    const rule = await ask.operations.getRule(ask.caller, source);
    const saved = await ask.operations.putRule(ask.caller, source, changeOf(view, rule));
    await fill(ruleSaved(source, saved));
  } catch (error) {
    if (!isRefusal(error) || !mayEdit(ask)) {
      await fill(reading([section('*Not saved.* You are told why in a message.')]));
      throw error;
    }
    await fill(await filledAnew(ask, view, error.message));
  }
};

async function filledAnew(ask: Ask, view: NonNullable<Ask['view']>, trouble?: string): Promise<types.ModalView> {
  const origin = ruleOrigin(view);
  const asked = ruleChangeOf(ruleValues(view));
  const form = await ask.operations.ruleForm(ask.caller, origin.source, {
    connection: asked.connection ?? undefined,
    projectKey: asked.projectKey ?? undefined,
    issueType: asked.issueType,
  });
  const rule = ruleWith(form.rule, changeOf(view, form.rule));
  return ruleModal({ form, rule, ...(trouble ? { trouble } : {}), origin: { ...origin, turn: origin.turn + 1 } });
}

/** What a form asks for, over the rule as it is kept. */
function changeOf(view: Pick<ViewOutput, 'state'>, rule: RuleView): RuleChange {
  const values = ruleValues(view);
  return ruleChangeOf(values, templateKept(rule, ruleChangeOf(values)));
}

function mayEdit(ask: Ask): boolean {
  return isAllowed(ask.caller.role, 'configure');
}
