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
  /** Answers the person alone. `replace` writes over the ephemeral message that the button sits in. */
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
  acknowledge(message?: Message): Promise<void>;
  respond: ((answer: RespondArguments) => Promise<unknown>) | null;
};

type BoltArgs = { client: WebClient; context: { teamId?: string } };
type CommandArgs = SlackCommandMiddlewareArgs & BoltArgs;
type ActionArgs = SlackActionMiddlewareArgs<BlockAction> & BoltArgs;
type ViewArgs = SlackViewMiddlewareArgs<ViewSubmitAction> & BoltArgs;

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
  /** What stands against the submission, by input block; the view then stays open and says so. */
  problems?(view: ViewOutput): Record<string, string> | null;
  /** What the view shows while the work is done; without it the view is closed. */
  meanwhile?(): types.ModalView;
};

/**
 * Wraps a handler as a Bolt listener, one function per kind of payload. A refusal is told with its reason, anything
 * else that is thrown with a reference that stands in the log; both to the one who asked, by ephemeral message.
 */
export function createListeners(deps: { operations: Operations; identity: Identity; log: Log }) {
  async function listen(incoming: Incoming, work: ((ask: Ask) => Promise<void>) | Message | null): Promise<void> {
    try {
      await incoming.acknowledge(typeof work === 'function' ? undefined : (work ?? undefined));
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
    const { triggerId, channelId, isOnEphemeral, view, client } = incoming;
    return {
      caller,
      operations: deps.operations,
      requestId: `slack:${incoming.teamId}:${triggerId}`,
      triggerId,
      channelId,
      isOnEphemeral,
      view,
      client,
      reply: (message, options) => answer(incoming, message, options?.replace === true),
    };
  }

  async function tellTrouble(incoming: Incoming, error: unknown): Promise<void> {
    const polite = politely(error);
    const reference = randomBytes(4).toString('hex');
    if (!polite) {
      const { name, teamId, userId } = incoming;
      deps.log.error({ reference, listener: name, teamId, userId, ...errorFields(error) }, 'a Slack listener failed');
    }
    try {
      await answer(incoming, polite ?? failed(reference), false);
    } catch (unanswered) {
      deps.log.error(
        { reference, listener: incoming.name, ...errorFields(unanswered) },
        'nobody could be told in Slack',
      );
    }
  }

  /** By `response_url`, which works in every channel; where that fails or is missing, by the Web API. */
  async function answer(incoming: Incoming, { text, blocks }: Message, replace: boolean): Promise<void> {
    if (incoming.respond) {
      try {
        const over = replace && incoming.isOnEphemeral;
        await incoming.respond({ response_type: 'ephemeral', replace_original: over, text, blocks, ...quietLinks });
        return;
      } catch (error) {
        deps.log.warn(
          { listener: incoming.name, ...errorFields(error) },
          'response_url failed; answering by the Web API',
        );
      }
    }
    const { client, channelId, userId } = incoming;
    if (channelId) await client.chat.postEphemeral({ channel: channelId, user: userId, text, blocks });
    else await client.chat.postMessage({ channel: userId, text, blocks, ...quietLinks });
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
      (handler: ViewHandler, { channelOf, problems, meanwhile }: ViewListening) =>
      async (args: ViewArgs) => {
        const errors = problems?.(args.view) ?? null;
        const incoming = fromView(args, { channelId: channelOf(args.view), errors, meanwhile: meanwhile?.() });
        await listen(incoming, errors ? null : (ask) => handler(ask, args.view));
      },
    /** A link button: Slack wants it acknowledged, and nothing else happens. */
    linkOnly: () => async (args: ActionArgs) => listen(fromAction(args), null),
  };
}

// No program may look where a link leads before the one who asked: a link to the connect page opens once.
const quietLinks = { unfurl_links: false, unfurl_media: false } as const;

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
    acknowledge: () => ack(),
    // A button in the App Home comes without a response_url, and Bolt then gives no respond().
    respond: body.response_url ? respond : null,
  };
}

type ViewAnswer = {
  channelId: string | null;
  errors: Record<string, string> | null;
  meanwhile: types.ModalView | undefined;
};

function fromView({ body, view, ack, client, context }: ViewArgs, answer: ViewAnswer): Incoming {
  const { channelId, errors, meanwhile } = answer;
  return {
    name: view.callback_id,
    teamId: context.teamId ?? body.team?.id ?? '',
    userId: body.user.id,
    channelId,
    triggerId: body.trigger_id,
    isOnEphemeral: false,
    view,
    client,
    acknowledge: () => {
      if (errors) return ack({ response_action: 'errors', errors });
      return meanwhile ? ack({ response_action: 'update', view: meanwhile }) : ack();
    },
    respond: null,
  };
}

function pressedValue(action: BlockAction['actions'][number]): string {
  if (action.type === 'button') return action.value ?? '';
  if (action.type === 'overflow') return action.selected_option.value;
  return action.type === 'static_select' ? (action.selected_option?.value ?? '') : '';
}
