import type { types } from '@slack/bolt';
import { z } from 'zod';
import { section } from './elements';

export const rejectView = { callback: 'push.reject', block: 'note', input: 'text' } as const;

const origin = z.object({ push: z.string(), channel: z.string().nullable(), original: z.string().nullish() });

/** The push that a rejection is for, where it was asked from, and the list that it is told in; travels in the view's private metadata. */
export type RejectOrigin = z.infer<typeof origin>;

/** The modal of a rejection: an optional reason. */
export function rejectModal(asked: RejectOrigin): types.ModalView {
  return {
    type: 'modal',
    callback_id: rejectView.callback,
    private_metadata: JSON.stringify(asked),
    title: { type: 'plain_text', text: 'Reject push' },
    submit: { type: 'plain_text', text: 'Reject' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      section('Nothing of this push goes to Jira, and its findings are open again.'),
      {
        type: 'input',
        block_id: rejectView.block,
        optional: true,
        label: { type: 'plain_text', text: 'Why?' },
        hint: { type: 'plain_text', text: 'Shown on the message of the push.' },
        element: { type: 'plain_text_input', action_id: rejectView.input, multiline: true, max_length: 2000 },
      },
    ],
  };
}

/** Reads the private metadata of a submitted view back; throws where it is not ours. */
export function rejectOrigin(privateMetadata: string): RejectOrigin {
  return origin.parse(JSON.parse(privateMetadata));
}
