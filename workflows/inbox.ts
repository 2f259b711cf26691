import { condition } from '@temporalio/workflow';

/**
 * Messages of a workflow, handled one at a time and in order by its one loop, while Temporal runs the handlers of
 * signals and updates concurrently.
 */
export function createInbox<Message>() {
  const waiting: Message[] = [];
  let accepted = 0;
  let handled = 0;
  return {
    isEmpty: (): boolean => waiting.length === 0,

    /** Resolves when the message has been handled. */
    async put(message: Message): Promise<void> {
      waiting.push(message);
      accepted += 1;
      const ticket = accepted;
      await condition(() => handled >= ticket);
    },

    /** Handles the oldest message, if there is one. */
    async handleNext(handle: (message: Message) => Promise<void>): Promise<void> {
      const message = waiting.shift();
      if (message === undefined) return;
      await handle(message);
      handled += 1;
    },
  };
}
