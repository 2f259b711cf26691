import type { types, ViewOutput } from '@slack/bolt';
import { z } from 'zod';
import type { PushChoices } from '../../api/operations/types';
import { context, section } from './elements';
import { count, foreign, plain } from './text';

export const elsewhereView = {
  callback: 'push.elsewhere',
  title: 'Push to Jira',
  to: 'to',
  toInput: 'connection',
  note: 'note',
  noteInput: 'text',
} as const;

const MOST = 100;

const origin = z.object({ finding: z.string(), source: z.string(), channel: z.string().nullable() });

/** The finding that is to be pushed, and where that was asked from; travels in the view's private metadata. */
export type ElsewhereOrigin = z.infer<typeof origin>;

/** The window that asks which of the connections that the rule allows a finding is pushed to. */
export function elsewhereModal({ others, source }: PushChoices, asked: ElsewhereOrigin): types.ModalView {
  const window = {
    type: 'modal' as const,
    title: { type: 'plain_text' as const, text: elsewhereView.title },
    close: { type: 'plain_text' as const, text: others.length > 0 ? 'Cancel' : 'Close' },
  };
  if (others.length === 0) {
    const none = `The sync rule of *${foreign(source.name, 100)}* lets pushes go to no other Jira connection.`;
    return { ...window, blocks: [section(`${none} An admin can allow it there.`)] };
  }
  const options = others.slice(0, MOST).map(({ connection, name, projectKey, status }) => ({
    text: {
      type: 'plain_text' as const,
      text: plain(`${projectKey} in ${name}${status === 'connected' ? '' : ' (waits to be reconnected)'}`, 75),
      emoji: false,
    },
    value: connection,
  }));
  return {
    ...window,
    callback_id: elsewhereView.callback,
    private_metadata: JSON.stringify(asked),
    submit: { type: 'plain_text', text: 'Push' },
    blocks: [
      section(`*${asked.finding}* goes to the project that you choose. It has one issue, which stays there.`),
      {
        type: 'input',
        block_id: elsewhereView.to,
        label: { type: 'plain_text', text: 'Project' },
        element: { type: 'static_select', action_id: elsewhereView.toInput, options },
      },
      {
        type: 'input',
        block_id: elsewhereView.note,
        optional: true,
        label: { type: 'plain_text', text: 'Review note' },
        element: { type: 'plain_text_input', action_id: elsewhereView.noteInput, multiline: true, max_length: 2000 },
      },
      ...(others.length > MOST
        ? [context(`${count(others.length - MOST, 'connection')} more: use the HTTP API.`)]
        : []),
    ],
  };
}

/** What a submitted view asks for; throws where it is not ours. */
export function elsewhereOf(view: ViewOutput): ElsewhereOrigin & { connection: string; note: string | undefined } {
  const { values } = view.state;
  return {
    ...origin.parse(JSON.parse(view.private_metadata)),
    connection: values[elsewhereView.to]?.[elsewhereView.toInput]?.selected_option?.value ?? '',
    note: values[elsewhereView.note]?.[elsewhereView.noteInput]?.value?.trim() || undefined,
  };
}
