import type { types, ViewOutput } from '@slack/bolt';
import type { RuleView } from '../api/operations/types';
import { isAllowed } from '../workflows/rules/permissions';
import { section } from './blocks/elements';
import { notice } from './blocks/replies';
import { ruleModal, ruleView } from './blocks/rule-form';
import {
  changedByOthers,
  changedParts,
  changeOf,
  only,
  type RuleOrigin,
  ruleChangeOf,
  ruleOrigin,
  ruleValues,
  ruleWith,
} from './blocks/rule-values';
import { issuePreview, previewTitle, reading, ruleList, ruleReading, ruleSaved } from './blocks/rules';
import { foreign } from './blocks/text';
import { isRefusal, saidInSlack } from './declined';
import { asKept } from './find';
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
export const openRule: ActionHandler = (ask, named) =>
  openAndFill(ask, ruleView.title, () =>
    asKept(ask, named, async (source) => {
      if (!mayEdit(ask)) return ruleReading(source, await ask.operations.getRule(ask.caller, source));
      const form = await ask.operations.ruleForm(ask.caller, source);
      return ruleModal({ form, origin: { source, channel: ask.channelId, turn: 0 } });
    }),
  );

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
      const change = ask.view ? changeOf(ruleValues(ask.view), ruleOrigin(ask.view), rule) : {};
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
  const origin = ruleOrigin(view);
  const { source } = origin;
  try {
    const rule = await ask.operations.getRule(ask.caller, source);
    const change = changeOf(ruleValues(view), origin, rule);
    const others = changedByOthers(change, origin, rule);
    if (others.length > 0 && mayEdit(ask)) {
      return await refilled(ask, view, { trouble: meanwhile(others), told: others });
    }
    const saved = await ask.operations.putRule(ask.caller, source, change);
    await shown(ask, view, ruleSaved(source, saved), `The sync rule of *${foreign(source, 100)}* is saved.`);
  } catch (error) {
    if (!isRefusal(error) || !mayEdit(ask)) {
      const window = reading([section('*Not saved.* You are told why in a message.')]);
      await shown(ask, view, window, null);
      throw error;
    }
    await refilled(ask, view, { trouble: saidInSlack(error) });
  }
};

/** Brings the form back with what stands against it. */
async function refilled(ask: Ask, view: ViewOutput, trouble: Trouble & { trouble: string }): Promise<void> {
  const { source } = ruleOrigin(view);
  const said = `The sync rule of *${foreign(source, 100)}* is not saved: ${foreign(trouble.trouble, 1500)}`;
  await shown(ask, view, await filledAnew(ask, view, trouble), said);
}

/** Writes over the window; where that cannot be done, as after it was closed, `said` is told by message instead. */
async function shown(ask: Ask, view: ViewOutput, window: types.ModalView, said: string | null): Promise<void> {
  try {
    await ask.client.views.update({ view_id: view.id, view: window });
  } catch {
    if (said !== null) await ask.reply(notice(said));
  }
}

/** Parts of a rule as the form calls them. */
const partNames: Record<string, string> = {
  enabled: 'Sync to Jira',
  connection: 'Jira connection',
  projectKey: 'Jira project',
  issueType: 'Issue type',
  otherConnections: 'Other connections',
  severities: 'Severities',
  autoPush: 'Auto-push',
  approval: 'Approval',
  onJiraDone: 'When the issue is Done in Jira',
  onVerifyFail: 'When the re-run fails',
  verifier: 'Who verifies',
  grouping: 'One issue per',
  labels: 'Labels',
  component: 'Component',
  assignee: 'Assignee',
  priorities: 'Priorities',
  template: 'Required fields, title or description of the issues',
};

function meanwhile(parts: string[]): string {
  const names = parts.map((part) => partNames[part] ?? part).join('; ');
  return `Somebody else changed this meanwhile: ${names}. The form shows what you chose. Save it once more to replace what they chose, or press Cancel to leave that.`;
}

/** `told`: the parts that somebody else changed, and that the person knows of now. */
type Trouble = { trouble?: string; told?: string[] };

async function filledAnew(ask: Ask, view: ViewOutput, { trouble, told = [] }: Trouble = {}): Promise<types.ModalView> {
  const { form: formWas, rule: ruleWas, ...origin } = ruleOrigin(view);
  const values = ruleValues(view);
  const changed = changedParts(values, { form: formWas });
  const asked = only(ruleChangeOf(values), changed);
  const form = await ask.operations.ruleForm(ask.caller, origin.source, {
    connection: asked.connection ?? undefined,
    projectKey: asked.projectKey ?? undefined,
    issueType: asked.issueType,
  });
  const rule: RuleView = ruleWith(form.rule, changeOf(values, { form: formWas }, form.rule));
  const unheard = changed.filter((part) => !told.includes(part));
  const kept: Pick<RuleOrigin, 'form' | 'rule'> = { form: only(formWas, changed), rule: only(ruleWas, unheard) };
  return ruleModal({
    form,
    rule,
    ...(trouble ? { trouble } : {}),
    origin: { ...origin, ...kept, turn: origin.turn + 1 },
  });
}

function mayEdit(ask: Ask): boolean {
  return isAllowed(ask.caller.role, 'configure');
}
