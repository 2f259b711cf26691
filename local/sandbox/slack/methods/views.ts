import { z } from 'zod';
import { validateView } from '../block-kit';
import type { Context } from '../context';
import type { Trigger } from '../triggers';
import { DEEPEST_STACK, type View, type ViewContent, viewObject } from '../views';
import { args, type Method, method, SlackError } from './method';

const given = { view: z.unknown(), hash: args.text };

export const viewMethods: Record<string, Method> = {
  'views.open': method({ trigger_id: args.name, ...given }, async (context, asked) => {
    const content = checkView(asked.view, 'modal');
    await checkExternalId(context, content, null);
    const trigger = await exchange(context, asked.trigger_id);
    return { view: viewObject(await context.views.open(trigger.userId, content)) };
  }),
  'views.push': method({ trigger_id: args.name, ...given }, async (context, asked) => {
    const content = checkView(asked.view, 'modal');
    await checkExternalId(context, content, null);
    const trigger = await exchange(context, asked.trigger_id);
    const on = trigger.viewId ? await context.views.find(trigger.viewId) : null;
    if (!on?.isOpen || on.content.type !== 'modal') throw new SlackError('not_found');
    return { view: viewObject(await pushView(context, on, content)) };
  }),
  'views.update': method({ view_id: args.text, external_id: args.text, ...given }, async (context, asked) => {
    const content = checkView(asked.view, 'modal');
    // What the app answers to a submission comes before what it sends afterwards.
    await context.submissions.get(asked.view_id ?? '')?.catch(() => undefined);
    const view = asked.view_id
      ? await context.views.find(asked.view_id)
      : await context.views.findByExternalId(asked.external_id ?? '');
    if (!view?.isOpen || view.content.type !== 'modal') throw new SlackError('not_found');
    await checkExternalId(context, content, view);
    const updated = await context.views.update(view, content, asked.hash);
    if (!updated) throw new SlackError('hash_conflict');
    return { view: viewObject(updated) };
  }),
  'views.publish': method({ user_id: args.name, ...given }, async (context, asked) => {
    const user = await context.directory.findUser(asked.user_id);
    if (!user || user.role === 'bot') throw new SlackError('user_not_found');
    const content = checkView(asked.view, 'home');
    const made = await context.views.publish(user.id, content);
    if (made) return { view: viewObject(made) };
    const home = await context.views.home(user.id);
    if (!home) throw new SlackError('internal_error');
    const updated = await context.views.update(home, content, asked.hash);
    if (!updated) throw new SlackError('hash_conflict');
    return { view: viewObject(updated) };
  }),
};

/** Puts a modal on another; throws `push_limit_reached` over a root and two. */
export async function pushView(context: Context, on: View, content: ViewContent): Promise<View> {
  if ((await context.views.depth(on)) >= DEEPEST_STACK) throw new SlackError('push_limit_reached');
  return context.views.push(on, content);
}

/** Checks a view against Block Kit and its surface; throws `view_too_large` or `invalid_arguments` with the reasons. */
export function checkView(value: unknown, type: ViewContent['type']): ViewContent {
  const messages = validateView(value);
  if (messages[0]?.includes('view_too_large')) throw new SlackError('view_too_large');
  if (messages.length) throw new SlackError('invalid_arguments', { response_metadata: { messages } });
  const content = value as ViewContent;
  if (content.type === type) return content;
  const wanted = `[ERROR] must be a ${type} view [json-pointer:/view/type]`;
  throw new SlackError('invalid_arguments', { response_metadata: { messages: [wanted] } });
}

async function checkExternalId(context: Context, content: ViewContent, self: View | null): Promise<void> {
  if (!content.external_id) return;
  const other = await context.views.findByExternalId(content.external_id);
  if (other && other.id !== self?.id) throw new SlackError('duplicate_external_id');
}

async function exchange(context: Context, id: string): Promise<Trigger> {
  const trigger = await context.triggers.exchange(id);
  if (typeof trigger === 'string') throw new SlackError(trigger);
  return trigger;
}
