// The one way in for everything that a person does in Slack: acknowledge first, then find out who it is, then one
// operation, then an answer. Nothing fails silently. What is asked is decided in the handlers, never here.

import { randomBytes } from 'node:crypto';
import type {
  BlockAction,
  RespondArguments,
  SlackActionMiddlewareArgs,
  SlackCommandMiddlewareArgs,
  SlackViewMiddlewareArgs,
  types,
  ViewOutput,
  ViewSubmitAction,
} from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import type { Caller, Operations } from '../api/operations/types';
import { failed } from './blocks/replies';
import type { Message } from './blocks/text';
import { politely } from './declined';
import type { Identity } from './identity';
import { errorFields, type Log } from './log';
import { withCommand } from './root-command';

/** What a handler gets: who asks, and how to answer. */
export type Ask = {
  caller: Caller;
  operations: Operations;
  /** Unique per act of a person; a request that Slack delivers twice has the same. */
  requestId: string;
  triggerId: string;
  channelId: string | null;
  /** The message that was clicked in is the person's alone. */
  isOnEphemeral: boolean;
  /** The window that was clicked in or submitted, as it stood then; null outside windows. */
  view: ViewOutput | null;
  client: WebClient;
  /**
   * Where the ephemeral message of this act can be written over for half an hour, sealed, so that a window can carry it;
   * null outside such messages.
   */
  original: string | null;
  /**
   * Answers the person alone. `replace` writes over the ephemeral message that the button sits in. Never throws: what
   * was asked for is done whether or not it can be told.
   */
  reply(message: Message, options?: { replace?: boolean }): Promise<void>;
};

/** A command, button or submitted view, reduced to what the wrapper needs. */
type Incoming = {
  name: string;
  teamId: string;
  userId: string;
  channelId: string | null;
  triggerId: string;
  isOnEphemeral: boolean;
  view: ViewOutput | null;
  client: WebClient;
  originalUrl: string | null;
  acknowledge(message?: Message): Promise<void>;
  respond: ((answer: RespondArguments) => Promise<unknown>) | null;
};

type BoltArgs = { client: WebClient; context: { teamId?: string } };
type CommandArgs = SlackCommandMiddlewareArgs & BoltArgs;
type ActionArgs = SlackActionMiddlewareArgs<BlockAction> & BoltArgs;
type ViewArgs = SlackViewMiddlewareArgs<ViewSubmitAction> & BoltArgs;

/** A `response_url` lets whoever has it speak to the person, and what a window carries is sent to their browser. */
export type Sealer = {
  seal(url: string): string;
  /** Null where there is nothing to open, or it was sealed with a key that is gone. */
  open(sealed: string | null): string | null;
};

export type CommandHandler = {
  /** Answers in the acknowledgement itself what needs neither rights nor a look-up; null for everything else. */
  atOnce(text: string): Message | null;
  handle(ask: Ask, text: string): Promise<void>;
};
export type ActionHandler = (ask: Ask, value: string) => Promise<void>;
export type ViewHandler = (ask: Ask, view: ViewSubmitAction['view']) => Promise<void>;
export type ViewListening = {
  /** Where to tell what came of it. */
  channelOf(view: ViewOutput): string | null;
  /** The `original` of the click that opened the view, where its message is to be written over. */
  originalOf?(view: ViewOutput): string | null;
  /** What stands against the submission, by input block; the view then stays open and says so. */
  problems?(view: ViewOutput): Record<string, string> | null;
  /** What the view shows while the work is done; without it the view is closed. */
  meanwhile?(): types.ModalView;
};

/**
 * Wraps a handler as a Bolt listener, one function per kind of payload. A refusal is told with its reason, anything
 * else that is thrown with a reference that stands in the log; both to the one who asked, by ephemeral message.
 */
export function createListeners(deps: {
  operations: Operations;
  identity: Identity;
  sealer: Sealer;
  command: string;
  log: Log;
}) {
  async function listen(incoming: Incoming, work: ((ask: Ask) => Promise<void>) | Message | null): Promise<void> {
    try {
      await incoming.acknowledge(typeof work === 'function' || !work ? undefined : withCommand(work, deps.command));
      if (typeof work !== 'function') return;
      const caller = await deps.identity.callerOf(
        { teamId: incoming.teamId, userId: incoming.userId },
        incoming.client,
      );
      await work(askOf(incoming, caller));
    } catch (error) {
      await tellTrouble(incoming, error);
    }
  }

  function askOf(incoming: Incoming, caller: Caller): Ask {
    const { triggerId, channelId, isOnEphemeral, view, client, originalUrl } = incoming;
    return {
      caller,
      operations: deps.operations,
      requestId: `slack:${incoming.teamId}:${triggerId}`,
      triggerId,
      channelId,
      isOnEphemeral,
      view,
      client,
      original: originalUrl && deps.sealer.seal(originalUrl),
      reply: (message, options) => tell(incoming, message, { replace: options?.replace === true }),
    };
  }

  async function tellTrouble(incoming: Incoming, error: unknown): Promise<void> {
    const polite = politely(error);
    const reference = randomBytes(4).toString('hex');
    if (!polite) {
      const { name, teamId, userId } = incoming;
      deps.log.error({ reference, listener: name, teamId, userId, ...errorFields(error) }, 'a Slack listener failed');
    }
    await tell(incoming, polite ?? failed(reference), { replace: false, reference });
  }

  type Telling = { replace: boolean; reference?: string };

  /** Answers by the first way that works; where none does, only the log knows. */
  async function tell(incoming: Incoming, message: Message, { replace, reference }: Telling): Promise<void> {
    const { name: listener } = incoming;
    for (const { by, send } of waysOf(incoming, withCommand(message, deps.command), replace)) {
      try {
        await send();
        return;
      } catch (error) {
        deps.log.warn({ listener, ...errorFields(error) }, `${by} failed; answering by another way`);
      }
    }
    deps.log.error({ listener, reference }, 'nobody could be told in Slack');
  }

  return {
    command: (handler: CommandHandler) => async (args: CommandArgs) => {
      const { text } = args.command;
      const atOnce = handler.atOnce(text);
      await listen(fromCommand(args), atOnce ?? ((ask) => handler.handle(ask, text)));
    },
    action: (handler: ActionHandler) => async (args: ActionArgs) =>
      listen(fromAction(args), (ask) => handler(ask, pressedValue(args.action))),
    /** A view is closed by its acknowledgement; what came of it is told afterwards. */
    view:
      (handler: ViewHandler, { channelOf, originalOf, problems, meanwhile }: ViewListening) =>
      async (args: ViewArgs) => {
        const errors = problems?.(args.view) ?? null;
        const incoming = fromView(args, {
          channelId: channelOf(args.view),
          originalUrl: deps.sealer.open(originalOf?.(args.view) ?? null),
          errors,
          meanwhile: meanwhile?.(),
        });
        await listen(incoming, errors ? null : (ask) => handler(ask, args.view));
      },
    /** A link button: Slack wants it acknowledged, and nothing else happens. */
    linkOnly: () => async (args: ActionArgs) => listen(fromAction(args), null),
  };
}

// No program may look where a link leads before the one who asked: a link to the connect page opens once.
const quietLinks = { unfurl_links: false, unfurl_media: false } as const;

type Way = { by: string; send: () => Promise<unknown> };

/**
 * By `response_url`, which works in every channel but not for ever; by an ephemeral message where the act was, which
 * takes a channel that the bot is in; and by direct message, which works wherever the person can be reached at all.
 */
function waysOf(incoming: Incoming, { text, blocks }: Message, replace: boolean): Way[] {
  const { client, channelId, userId, respond, isOnEphemeral } = incoming;
  const ways: Way[] = [];
  if (respond) {
    const over = replace && isOnEphemeral;
    const answer = { response_type: 'ephemeral', replace_original: over, text, blocks, ...quietLinks } as const;
    ways.push({ by: 'response_url', send: () => respond(answer) });
  }
  if (channelId) {
    const send = () => client.chat.postEphemeral({ channel: channelId, user: userId, text, blocks });
    ways.push({ by: 'an ephemeral message', send });
  }
  const send = () => client.chat.postMessage({ channel: userId, text, blocks, ...quietLinks });
  ways.push({ by: 'a direct message', send });
  return ways;
}

/** Bolt gives submitted views no `respond`, though the message that a view was opened from can still be answered at. */
async function respondAt(url: string, answer: RespondArguments): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(answer),
    signal: AbortSignal.timeout(RESPOND_MS),
  });
  if (!response.ok) throw new Error(`The response_url answered ${response.status}.`);
}

const RESPOND_MS = 10_000;

function fromCommand({ command, ack, respond, client, context }: CommandArgs): Incoming {
  return {
    name: command.command,
    teamId: context.teamId ?? command.team_id,
    userId: command.user_id,
    channelId: command.channel_id,
    triggerId: command.trigger_id,
    isOnEphemeral: false,
    view: null,
    client,
    originalUrl: null,
    acknowledge: (message) => (message ? ack({ response_type: 'ephemeral', ...message }) : ack()),
    respond,
  };
}

function fromAction({ body, action, ack, respond, client, context }: ActionArgs): Incoming {
  return {
    name: action.action_id,
    teamId: context.teamId ?? body.team?.id ?? '',
    userId: body.user.id,
    channelId: body.channel?.id ?? null,
    triggerId: body.trigger_id,
    isOnEphemeral: body.container.is_ephemeral === true,
    view: body.view ?? null,
    client,
    originalUrl: body.container.is_ephemeral === true ? (body.response_url ?? null) : null,
    acknowledge: () => ack(),
    // A button in the App Home comes without a response_url, and Bolt then gives no respond().
    respond: body.response_url ? respond : null,
  };
}

type ViewAnswer = {
  channelId: string | null;
  originalUrl: string | null;
  errors: Record<string, string> | null;
  meanwhile: types.ModalView | undefined;
};

function fromView({ body, view, ack, client, context }: ViewArgs, answer: ViewAnswer): Incoming {
  const { channelId, originalUrl, errors, meanwhile } = answer;
  return {
    name: view.callback_id,
    teamId: context.teamId ?? body.team?.id ?? '',
    userId: body.user.id,
    channelId,
    triggerId: body.trigger_id,
    isOnEphemeral: originalUrl !== null,
    view,
    client,
    originalUrl,
    acknowledge: () => {
      if (errors) return ack({ response_action: 'errors', errors });
      return meanwhile ? ack({ response_action: 'update', view: meanwhile }) : ack();
    },
    respond: originalUrl === null ? null : (message) => respondAt(originalUrl, message),
  };
}

function pressedValue(action: BlockAction['actions'][number]): string {
  if (action.type === 'button') return action.value ?? '';
  if (action.type === 'overflow') return action.selected_option.value;
  return action.type === 'static_select' ? (action.selected_option?.value ?? '') : '';
}
