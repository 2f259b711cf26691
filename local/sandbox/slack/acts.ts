// What a person does in Slack: each act sends the app the signed request that Slack would send, and shows the answer as
// Slack would. The page and scripts both come through here.
import type { Context } from './context';
import { APP, type Channel, emailOf, type User } from './directory';
import { type Element, elementState, elementsOf, enteredState, inputErrors, type Raw } from './element-state';
import type { Block, Message } from './messages';
import { checkView, pushView } from './methods/views';
import { type Delivery, deliver } from './outgoing';
import * as payloads from './payloads';
import { showCommandAnswer } from './response-url';
import { type View, type ViewContent, viewObject } from './views';

/** An act that cannot be done, e.g. a click on a button that is not there; the message says why. */
export class ActError extends Error {}

export interface Act {
  user: User;
}

/** Who speaks when Slack itself has something to say. */
const SLACKBOT = 'USLACKBOT';

/** Runs a slash command; its answer, or Slack's own error line, appears as an ephemeral message. */
export async function runCommand(
  context: Context,
  { user, channel, text }: Act & { channel: Channel; text: string },
): Promise<Delivery> {
  const { command } = context.settings;
  const form = await payloads.commandForm(context, { user, channel, text: await escapedCommand(context, text) });
  const delivery = await deliver(context.settings, { body: new URLSearchParams(form).toString(), type: 'form' });
  if (delivery.error) {
    await context.messages.add({
      channel: channel.id,
      author: SLACKBOT,
      text: `${command} failed with the error "${delivery.error}"`,
      ephemeralFor: user.id,
    });
    return delivery;
  }
  const target = { channel: channel.id, userId: user.id, ts: null, isEphemeral: true, threadTs: null };
  await showCommandAnswer(context, { target, body: delivery.body, typed: `${command} ${text}`.trim() });
  return delivery;
}

export interface Click extends Act {
  actionId?: string | undefined;
  blockId?: string | undefined;
  value?: Raw | undefined;
  /** What else stands in the inputs at that moment. */
  values?: Record<string, Raw> | undefined;
}

/** Presses a button of a message or chooses from one of its elements. */
export async function clickMessage(
  context: Context,
  click: Click & { channel: Channel; message: Message },
): Promise<Delivery> {
  const blocks = click.message.blocks ?? [];
  const { action, chosen } = actionOf(context, blocks, click);
  const values = enteredState(blocks, { ...click.values, ...chosen });
  return send(context, await payloads.messageActions(context, { ...click, action, values }));
}

/** Presses a button of an open modal or a Home tab, or chooses from one of its elements. */
export async function clickView(context: Context, click: Click & { view: View }): Promise<Delivery> {
  const { blocks } = click.view.content;
  const { action, chosen } = actionOf(context, blocks, click);
  const values = enteredState(blocks, { ...click.values, ...chosen }, click.view.values);
  const view = await context.views.enter(click.view, values);
  return send(context, await payloads.viewActions(context, { user: click.user, view, action }));
}

export interface Submitted extends Delivery {
  /** What is wrong, by the block id of an input; the modal stays open. */
  errors?: Record<string, string>;
}

/** Submits a modal and does what the app answers: nothing closes it, else `response_action` decides. */
export async function submitView(
  context: Context,
  { user, view, values = {} }: Act & { view: View; values?: Record<string, Raw> | undefined },
): Promise<Submitted> {
  const { blocks } = view.content;
  const entered = await context.views.enter(view, enteredState(blocks, values, view.values));
  const errors = inputErrors(blocks, entered.values);
  if (Object.keys(errors).length) return { status: null, body: '', errors };
  const submission = await payloads.submission(context, { user, view: entered });
  const answered = send(context, submission).then(async (delivery) =>
    delivery.error ? delivery : { ...delivery, ...(await followSubmission(context, view, delivery.body)) },
  );
  context.submissions.set(view.id, answered);
  return await answered.finally(() => context.submissions.delete(view.id));
}

async function followSubmission(context: Context, view: View, body: unknown): Promise<Partial<Submitted>> {
  if (body === '' || body === null) {
    await context.views.close(view);
    return {};
  }
  const answer = body as { response_action?: string; errors?: Record<string, string>; view?: ViewContent };
  if (answer.response_action === 'clear') await context.views.closeStack(view);
  else if (answer.response_action === 'update') await context.views.update(view, checkView(answer.view, 'modal'));
  else if (answer.response_action === 'push') await pushView(context, view, checkView(answer.view, 'modal'));
  else if (answer.response_action === 'errors') {
    const inputs = view.content.blocks.filter((block) => block.type === 'input').map((block) => block.block_id);
    const strange = Object.keys(answer.errors ?? {}).filter((blockId) => !inputs.includes(blockId));
    if (strange.length) throw new ActError(`the app's errors name no input block: ${strange.join(', ')}`);
    return { errors: answer.errors ?? {} };
  } else throw new ActError('the app answered a submission with a body that has no response_action');
  return {};
}

/** Closes a modal, or its whole stack; the app hears of it when the view asked for it. */
export async function closeView(
  context: Context,
  { user, view, all = false }: Act & { view: View; all?: boolean | undefined },
): Promise<Delivery> {
  const isCleared = all || view.content.clear_on_close === true;
  await (isCleared ? context.views.closeStack(view) : context.views.close(view));
  if (!view.content.notify_on_close) return { status: null, body: '' };
  return send(context, payloads.closing({ user, view, isCleared }));
}

/** Uses a global shortcut, or a message shortcut where a message is given. */
export async function useShortcut(
  context: Context,
  shortcut: Act & { callbackId: string; on?: { channel: Channel; message: Message } | undefined },
): Promise<Delivery> {
  return send(context, await payloads.shortcut(context, shortcut));
}

/** Asks the app for the options of an external select; Slack drops what is not a list of options. */
export async function suggestOptions(
  context: Context,
  asked: Parameters<typeof payloads.suggestion>[0],
): Promise<Delivery> {
  return send(context, payloads.suggestion(asked));
}

/** Opens a tab of the app; the app hears of it as app_home_opened. */
export async function openHome(
  context: Context,
  { user, channel, tab }: Act & { channel: Channel; tab: 'home' | 'messages' },
): Promise<Delivery> {
  const home = await context.views.home(user.id);
  return sendEvent(context, {
    type: 'app_home_opened',
    user: user.id,
    channel: channel.id,
    tab,
    ...(home && tab === 'home' ? { view: viewObject(home) } : {}),
    event_ts: context.messages.now(),
  });
}

/** Writes a plain message; one that mentions the app reaches it as app_mention. */
export async function writeMessage(
  context: Context,
  { user, channel, text, threadTs }: Act & { channel: Channel; text: string; threadTs: string | null },
): Promise<{ message: Message; delivery: Delivery | null }> {
  const escaped = await escapedText(context, text);
  const message = await context.messages.add({ channel: channel.id, author: user.id, text: escaped, threadTs });
  if (!escaped.includes(`<@${APP.userId}>`) || !channel.members.includes(APP.userId))
    return { message, delivery: null };
  const thread = threadTs ? { thread_ts: threadTs } : {};
  const event = { user: user.id, text: escaped, ts: message.ts, channel: channel.id, event_ts: message.ts, ...thread };
  return { message, delivery: await sendEvent(context, { type: 'app_mention', ...event }) };
}

function send(context: Context, payload: object): Promise<Delivery> {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  return deliver(context.settings, { body, type: 'form' });
}

// Slack repeats a failed event at once, then after a minute and after five; the sandbox stops after the first repeat.
async function sendEvent(context: Context, event: Record<string, unknown>): Promise<Delivery> {
  const body = JSON.stringify(payloads.eventEnvelope(event));
  const first = await deliver(context.settings, { body, type: 'json' });
  if (!first.error || first.error === 'dispatch_failed') return first;
  const reason = first.error === 'operation_timeout' ? 'http_timeout' : 'http_error';
  const headers = { 'x-slack-retry-num': '1', 'x-slack-retry-reason': reason };
  return deliver(context.settings, { body, type: 'json', headers });
}

function actionOf(context: Context, blocks: Block[], { actionId, blockId, value }: Click) {
  const all = blocks.flatMap((block) => elementsOf(block).map((element) => ({ block, element })));
  // Blocks without an id of their own get a new one with each update, and the page of who clicks may be a moment behind.
  const isBehind = actionId !== undefined && !blocks.some(({ block_id }) => block_id === blockId);
  const named = all.filter(
    ({ block, element }) =>
      (actionId === undefined || element.action_id === actionId) &&
      (blockId === undefined || isBehind || block.block_id === blockId),
  );
  const found = named.find(
    ({ element }) => element.type !== 'button' || value === undefined || element.value === value,
  );
  if (!found || (actionId === undefined && blockId === undefined)) {
    const there = all.map(({ element }) => element.action_id).join(', ');
    throw new ActError(`no element ${actionId ?? ''} in block ${blockId ?? '(any)'}; there are: ${there || 'none'}`);
  }
  const { block, element } = found;
  const action = {
    action_id: element.action_id,
    block_id: block.block_id,
    ...(element.type === 'button' ? buttonState(element) : stateOf(element, value ?? null)),
    action_ts: context.messages.now(),
  };
  const chosen = element.type === 'button' ? {} : { [`${block.block_id}/${element.action_id}`]: value ?? null };
  return { action, chosen };
}

function buttonState(element: Element) {
  const { type, text, value, style } = element;
  return { type, text, ...(value === undefined ? {} : { value }), ...(style === undefined ? {} : { style }) };
}

function stateOf(element: Element, value: Raw) {
  try {
    return elementState(element, value);
  } catch (error) {
    throw new ActError(error instanceof Error ? error.message : String(error));
  }
}

/** Slack escapes the three control characters of what people type, and turns names that it knows into ids. */
async function escapedText(context: Context, typed: string): Promise<string> {
  let text = typed.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  text = text.replace(/&lt;([@#!][\w|^-]+|https?:[^\s&]+)&gt;/g, '<$1>');
  for (const user of await context.directory.users()) {
    for (const name of [emailOf(user), user.realName, user.name]) text = text.replaceAll(`@${name}`, `<@${user.id}>`);
  }
  for (const channel of await context.directory.channels()) {
    if (channel.name) text = text.replaceAll(`#${channel.name}`, `<#${channel.id}|${channel.name}>`);
  }
  return text;
}

async function escapedCommand(context: Context, typed: string): Promise<string> {
  return (await escapedText(context, typed)).replace(/(^|\s)(https?:\/\/[^\s<>|]+)/g, '$1<$2>');
}
