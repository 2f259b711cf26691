import type { LocalFile } from '../local-file';
import { shared, waitFor } from './wait-for';

interface Element {
  type: string;
  action_id?: string;
  value?: string;
}
interface Message {
  ts: string;
  ephemeral: boolean;
  blocks?: { type: string; elements?: Element[]; accessory?: Element }[];
}
interface State {
  users: { id: string; realName: string; role: string }[];
  channels: { id: string; messages?: Message[] }[];
}
interface Answer {
  error?: string;
  errors?: Record<string, string>;
  ephemerals: { text?: string }[];
}

export interface Person {
  id: string;
  name: string;
}
export type SlackPeople = NonNullable<ReturnType<typeof createSlackPeople>>;
/** A button on a card: `value` is the finding, or begins with it. */
interface Button {
  actionId: string;
  finding: string;
}

const REPLY_MS = 8000;

/**
 * People in the sandbox's Slack: what they do reaches Recheck as Slack's own signed requests. Undefined where a real
 * Slack is configured, because nobody can act as a person there.
 */
export function createSlackPeople({ slackUrl, slackChannelId, slackUserId }: LocalFile) {
  if (!slackUrl || !slackChannelId || !slackUserId) return undefined;
  const state = shared(async () => {
    const response = await fetch(`${slackUrl}/sandbox/state?user=${slackUserId}&channel=${slackChannelId}`);
    if (!response.ok) throw new Error(`The sandbox's Slack answered ${response.status}.`);
    return (await response.json()) as State;
  });

  async function act(name: string, body: object): Promise<Answer> {
    const response = await fetch(`${slackUrl}/sandbox/act/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Answer;
    const errors = Object.values(answer.errors ?? {}).join(' ');
    if (!response.ok || answer.error || errors) {
      throw new Error(`Slack says of the ${name}: ${answer.error ?? (errors || response.status)}.`);
    }
    return answer;
  }

  async function openView(person: Person): Promise<{ id: string } | undefined> {
    const response = await fetch(`${slackUrl}/sandbox/state?user=${person.id}`);
    return ((await response.json()) as { view: { id: string } | null }).view ?? undefined;
  }

  async function findButton({ actionId, finding }: Button) {
    const messages = (await state()).channels.flatMap((channel) => channel.messages ?? []);
    for (const { ts, ephemeral, blocks = [] } of messages) {
      const elements = blocks.flatMap((block) => block.elements ?? []);
      const button = elements.find(
        ({ action_id, value }) => action_id === actionId && value?.split(' ')[0] === finding,
      );
      if (button && !ephemeral) return { ts, value: button.value };
    }
    return undefined;
  }

  async function press(person: Person, button: Button, wait: number): Promise<Answer> {
    const { actionId, finding } = button;
    const { ts, value } = await waitFor(`the card of ${finding} offers ${actionId}`, () => findButton(button));
    return act('click', { user: person.id, channel: slackChannelId, ts, actionId, value, wait });
  }

  return {
    /** Somebody with this role. */
    async withRole(role: 'owner' | 'admin' | 'member'): Promise<Person> {
      const found = (await state()).users.find((user) => user.role === role);
      if (!found) throw new Error(`Slack has nobody with the role ${role}.`);
      return { id: found.id, name: found.realName };
    },
    /** Types a slash command in the channel and answers what Recheck told that person, as far as it is quick. */
    async command(person: Person, text: string): Promise<string | undefined> {
      const { ephemerals } = await act('command', { user: person.id, channel: slackChannelId, text, wait: REPLY_MS });
      return ephemerals.at(-1)?.text;
    },
    /** Waits for the button on the finding's card and presses it. */
    async press(person: Person, button: Button): Promise<void> {
      await press(person, button, 0);
    },
    /** Presses a button that opens a modal, fills in one field, and submits it. */
    async pressAndFill(person: Person, button: Button, values: Record<string, string>): Promise<void> {
      await press(person, button, 0);
      // Asked for until it is there: what else this person is told meanwhile says nothing of the window.
      const view = await waitFor(
        `a window opens for ${button.actionId} of ${button.finding}`,
        () => openView(person),
        10,
      );
      await act('submit', { user: person.id, viewId: view.id, values });
    },
  };
}
