import type { Caller } from '../../api/operations/types';
import { DEFAULT_CHANNEL, USERS } from '../../local/sandbox/slack/directory';
import { roles } from '../../workflows/rules/vocabulary';
import type { ActAnswer } from '../sandbox/slack-fixture';
import { until } from '../support/until';
import type { BotWorld } from './bot-world';

type Element = { type: string; action_id?: string; value?: string; options?: { value: string }[] };
type Block = { type: string; block_id?: string; element?: Element; elements?: Element[] };
export type ShownView = { id: string; title: { text: string }; submit: { text: string } | null; blocks: Block[] };
type State = { view: ShownView | null; channels: { messages?: { text: string; ephemeral: boolean }[] }[] };

/** Everybody in the sandbox's Slack as a member of Recheck with the role that they have there. */
export async function callerBySlackUser({ userId }: { userId: string }): Promise<Caller | null> {
  const user = USERS.find(({ id }) => id === userId);
  const role = roles.find((each) => each === user?.role);
  if (!user || !role) return null;
  return { organisationId: 'organisation', memberId: user.id, name: user.realName, role, via: 'slack', scopes: null };
}

/** What one person does and sees in the sandbox's Slack. */
export function slackPerson(bot: BotWorld, role: 'owner' | 'admin' | 'member') {
  const user = USERS.find((each) => each.role === role)?.id ?? '';
  const act = (name: string, body: object): Promise<ActAnswer> => bot.world.act(name, { user, ...body });
  const state = async () => (await (await bot.world.sandbox('GET', `state?user=${user}`)).json()) as State;
  const saying = async (words: string) => {
    const { channels } = await state();
    const said = channels.flatMap(({ messages = [] }) => messages).filter(({ ephemeral }) => ephemeral);
    return said.find(({ text }) => text.includes(words))?.text;
  };
  return {
    command: (text: string) => act('command', { channel: DEFAULT_CHANNEL, text, wait: 10_000 }),
    /** Presses a button of a message and waits for what comes of it. */
    press: (ts: string, actionId: string, over: object = {}) =>
      act('click', { channel: DEFAULT_CHANNEL, ts, actionId, wait: 10_000, ...over }),
    /** Does something in the open window; what comes of it is waited for with `window`. */
    inWindow: (view: ShownView, actionId: string, over: object = {}) =>
      act('click', { viewId: view.id, actionId, ...over }),
    submit: (view: ShownView, values: object = {}) => act('submit', { viewId: view.id, values }),
    /** The open window as soon as it is so. */
    window: (fits: (view: ShownView) => boolean, what: string) =>
      until(
        async () => {
          const { view } = await state();
          if (!view || !fits(view)) throw new Error(JSON.stringify(view)?.slice(0, 1500));
          return view;
        },
        { what },
      ),
    /** What was said to this person alone, as soon as it says this. */
    told: (words: string) =>
      until(async () => (await saying(words)) ?? null, { what: `an answer that says “${words}”` }),
    /** Whether anything said to this person alone says this now. */
    visible: async (words: string) => (await saying(words)) !== undefined,
  };
}

/** The words and values of a view, for looking into. */
export const wordsOf = (view: ShownView): string => JSON.stringify(view.blocks);
