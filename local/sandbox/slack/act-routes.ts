import { once } from 'node:events';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import {
  ActError,
  clickMessage,
  clickView,
  closeView,
  openHome,
  runCommand,
  submitView,
  suggestOptions,
  useShortcut,
  writeMessage,
} from './acts';
import type { Context } from './context';
import { APP, type Channel, type User } from './directory';
import type { Raw } from './element-state';
import { type Message, messageObject } from './messages';
import { SlackError } from './methods/method';
import type { Delivery } from './outgoing';
import { type View, viewObject } from './views';

const text = z.string().min(1);
const option = z.looseObject({ text: z.looseObject({ type: z.string(), text: z.string() }), value: z.string() });
const raw: z.ZodType<Raw> = z.union([z.string(), z.number(), z.null(), option, z.array(z.union([z.string(), option]))]);
const values = z.record(z.string(), raw).optional();
const base = {
  user: text,
  /** Milliseconds to wait, after the app's 200, for what it shows next. */
  wait: z.number().int().min(0).max(30_000).default(0),
};
const place = { channel: text.optional(), ts: text.optional(), viewId: text.optional() };

const acts = {
  command: z.strictObject({ ...base, channel: text, text: z.string().default('') }),
  message: z.strictObject({ ...base, channel: text, text, threadTs: text.optional() }),
  click: z.strictObject({
    ...base,
    ...place,
    actionId: text.optional(),
    blockId: text.optional(),
    value: raw.optional(),
    values,
  }),
  submit: z.strictObject({ ...base, viewId: text, values }),
  close: z.strictObject({ ...base, viewId: text, all: z.boolean().optional() }),
  home: z.strictObject({ ...base, tab: z.enum(['home', 'messages']).default('home') }),
  shortcut: z.strictObject({ ...base, callbackId: text, channel: text.optional(), ts: text.optional() }),
  suggest: z.strictObject({ ...base, ...place, actionId: text, blockId: text, value: z.string() }),
  dismiss: z.strictObject({ ...base, channel: text, ts: text }),
  invite: z.strictObject({ ...base, channel: text }),
};

/**
 * The router of `/sandbox/act`: does as a user what the page does, for scripts and tests. Every act answers
 * `{ status, body, error?, errors?, ephemerals, view }`: what the app answered, what became visible to that user alone
 * since, and the modal that is open afterwards. 400 names a malformed act, 404 something that is not there.
 */
export function createActRoutes(context: Context): Router {
  const router = Router();
  const find = createFinder(context);
  const on = <T extends { user: string; wait: number }>(
    name: string,
    schema: z.ZodType<T>,
    act: (user: User, body: T) => Promise<Partial<Delivery> | null>,
  ): void => {
    router.post(`/${name}`, express.json({ limit: '1mb' }), async (request: Request, response: Response) => {
      const body = schema.parse(request.body);
      const user = await find.user(body.user);
      const since = context.messages.now();
      const before = (await context.views.top(user.id))?.hash;
      const delivery = await act(user, body);
      response.send({
        status: null,
        body: '',
        ...delivery,
        ...(await seen(context, { user, since, before, wait: body.wait })),
      });
    });
  };

  on('command', acts.command, async (user, { channel, text: typed }) => {
    const where = await find.channel(user, channel);
    return runCommand(context, { user, channel: where, text: withoutCommand(typed, context.settings.command) });
  });
  on('message', acts.message, async (user, { channel, text: typed, threadTs }) => {
    const where = await find.channel(user, channel);
    const { delivery } = await writeMessage(context, { user, channel: where, text: typed, threadTs: threadTs ?? null });
    return delivery;
  });
  on('click', acts.click, async (user, body) => {
    if (!body.channel) return clickView(context, { ...body, user, view: await find.view(user, body.viewId) });
    return clickMessage(context, { ...body, user, ...(await find.message(user, body.channel, body.ts)) });
  });
  on('submit', acts.submit, async (user, body) =>
    submitView(context, { user, view: await find.view(user, body.viewId), values: body.values }),
  );
  on('close', acts.close, async (user, body) =>
    closeView(context, { user, view: await find.view(user, body.viewId), all: body.all }),
  );
  on('home', acts.home, async (user, { tab }) =>
    openHome(context, { user, channel: await find.channel(user, user.id), tab }),
  );
  on('shortcut', acts.shortcut, async (user, { callbackId, channel, ts }) =>
    useShortcut(context, { user, callbackId, on: channel ? await find.message(user, channel, ts) : undefined }),
  );
  on('suggest', acts.suggest, async (user, body) => {
    const { actionId, blockId, value } = body;
    const message = body.channel ? await find.message(user, body.channel, body.ts) : null;
    const view = message ? null : await find.view(user, body.viewId);
    return suggestOptions(context, { user, actionId, blockId, value, view, on: message });
  });
  on('dismiss', acts.dismiss, async (user, { channel, ts }) => {
    const { message } = await find.message(user, channel, ts);
    if (message.ephemeralFor !== user.id) throw new ActError('only an ephemeral message can be dismissed');
    await context.messages.remove(message);
    return null;
  });
  on('invite', acts.invite, async (user, { channel }) => {
    const where = await find.channel(user, channel);
    await context.directory.addMember({ channel: where.id, user: APP.userId });
    await context.messages.add({ channel: where.id, author: user.id, text: `added <@${APP.userId}> to the channel.` });
    return null;
  });
  router.use(actError);
  return router;
}

/** Finds what an act names, as far as this user can see it; throws an {@link ActError} naming what is not there. */
function createFinder(context: Context) {
  const channel = async (user: User, name: string): Promise<Channel> => {
    const found = await context.directory.findChannel(name);
    if (!found?.members.includes(user.id)) throw new ActError(`${user.realName} sees no channel ${name}`);
    return found;
  };
  return {
    channel,
    async user(name: string): Promise<User> {
      const users = await context.directory.users();
      const found = users.find((each) => [each.id, each.name, each.realName].includes(name) && each.role !== 'bot');
      if (!found) throw new ActError(`no user ${name}`);
      return found;
    },
    async message(user: User, where: string, ts = ''): Promise<{ channel: Channel; message: Message }> {
      const at = await channel(user, where);
      const message = await context.messages.find({ channel: at.id, ts });
      if (!message || (message.ephemeralFor ?? user.id) !== user.id) throw new ActError(`no message ${ts} in ${where}`);
      return { channel: at, message };
    },
    /** The view with this id; without an id the user's Home tab. */
    async view(user: User, id: string | undefined): Promise<View> {
      const view = id ? await context.views.find(id) : await context.views.home(user.id);
      if (view?.userId !== user.id || !view.isOpen) throw new ActError(`no open view ${id ?? 'in the Home tab'}`);
      return view;
    },
  };
}

async function seen(
  context: Context,
  { user, since, before, wait }: { user: User; since: string; before: string | undefined; wait: number },
) {
  const look = async () => ({
    ephemerals: await context.messages.ephemerals({ user: user.id, since }),
    view: await context.views.top(user.id),
  });
  const end = AbortSignal.timeout(Math.max(1, wait));
  for (;;) {
    const looked = new AbortController();
    // Listens before it looks: what changes while it is read would else be waited for until the time is up.
    const changed = once(context.changes, 'change', { signal: AbortSignal.any([end, looked.signal]) });
    const changedOrNot = changed.catch(() => null);
    const now = await look();
    if (now.ephemerals.length > 0 || now.view?.hash !== before || wait === 0 || end.aborted) {
      looked.abort();
      return shownNow(now);
    }
    await changedOrNot;
  }
}

function shownNow(now: { ephemerals: Message[]; view: View | null }) {
  const shown = now.ephemerals.map((each) => ({ channel: each.channel, ...messageObject(each) }));
  return { ephemerals: shown, view: now.view ? viewObject(now.view) : null };
}

function withoutCommand(typed: string, command: string): string {
  return typed === command || typed.startsWith(`${command} `) ? typed.slice(command.length).trim() : typed;
}

function actError(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (error instanceof z.ZodError) response.status(400).send({ error: z.prettifyError(error) });
  else if (error instanceof ActError || error instanceof RangeError)
    response.status(404).send({ error: error.message });
  else if (error instanceof SlackError) response.status(422).send({ error: error.message, ...error.details });
  else next(error);
}
