import { condition, log } from '@temporalio/workflow';
import { refusedData } from './rules/refused-data';

type Waiting<Message, Answer> = { message: Message; end: (() => Answer) | null };

/**
 * Messages of a workflow, handled one at a time and in order by its one loop, while Temporal runs the handlers of
 * signals and updates concurrently. A message whose data PostgreSQL refuses is its sender's trouble, and the loop goes on.
 */
export function createInbox<Message, Answer = void>() {
  const waiting: Waiting<Message, Answer>[] = [];

  async function put(message: Message): Promise<Answer> {
    const item: Waiting<Message, Answer> = { message, end: null };
    waiting.push(item);
    await condition(() => item.end !== null);
    return item.end?.() as Answer;
  }

  return {
    isEmpty: (): boolean => waiting.length === 0,

    /** Resolves when the message has been handled, with what that answered; throws when its data was refused. */
    put,

    /** The same for a signal, whose sender has gone: a refusal is only logged. */
    async putSignal(message: Message): Promise<void> {
      try {
        await put(message);
      } catch (error) {
        const refusal = refusedData(error);
        if (refusal === null) throw error;
        log.error('a signal is left out', { refusal });
      }
    },

    /** Handles the oldest message, if there is one. */
    async handleNext(handle: (message: Message) => Promise<Answer>): Promise<void> {
      const item = waiting.shift();
      if (item === undefined) return;
      try {
        const answer = await handle(item.message);
        item.end = () => answer;
      } catch (error) {
        if (refusedData(error) === null) throw error;
        item.end = () => {
          throw error;
        };
      }
    },

    /** Answers all that wait, unhandled. */
    answerAll(answer: Answer): void {
      for (const item of waiting.splice(0)) item.end = () => answer;
    },
  };
}
