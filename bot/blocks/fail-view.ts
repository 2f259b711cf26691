import type { types } from '@slack/bolt';
import { z } from 'zod';
import { section } from './elements';

export const failView = { callback: 'verdict.fail', block: 'note', input: 'text' } as const;

const origin = z.object({
  finding: z.string(),
  session: z.string(),
  channel: z.string().nullable(),
  original: z.string().nullish(),
});

/** The case that a verdict is for, where it was asked from, and the list that it is told in; travels in the view's private metadata. */
export type FailOrigin = z.infer<typeof origin>;

/** The modal of a failed re-run: an optional note of what is still wrong. */
export function failModal(asked: FailOrigin): types.ModalView {
  return {
    type: 'modal',
    callback_id: failView.callback,
    private_metadata: JSON.stringify(asked),
    title: { type: 'plain_text', text: `Fail ${asked.finding}`.slice(0, 24) },
    submit: { type: 'plain_text', text: 'Save verdict' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      section(`The re-run of *${asked.finding}* still shows the problem. It stays flagged and goes round again.`),
      {
        type: 'input',
        block_id: failView.block,
        optional: true,
        label: { type: 'plain_text', text: 'What is still wrong?' },
        hint: {
          type: 'plain_text',
          text: "Kept with the verdict, and told on the Jira issue and in the thread of the finding's card.",
        },
        element: { type: 'plain_text_input', action_id: failView.input, multiline: true, max_length: 3000 },
      },
    ],
  };
}

/** Reads the private metadata of a submitted view back; throws where it is not ours. */
export function failOrigin(privateMetadata: string): FailOrigin {
  return origin.parse(JSON.parse(privateMetadata));
}
