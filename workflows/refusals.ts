// What becomes of a finding's change where Jira or PostgreSQL refuses for good: the run goes on.

import { log } from '@temporalio/workflow';
import type { CreateEnd } from './create-issue';
import { type JiraRefusal, refusalOf } from './jira-refusal';
import type { Change } from './rules/lifecycle';
import { refusedData } from './rules/refused-data';

/** What Jira refuses for good ends one effect, not the run: it is noted, and the finding stays where it is. */
export async function orNote<T>(
  call: () => Promise<T>,
  note: (refusal: JiraRefusal) => Promise<void>,
): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    await note(refusalOf(error));
    return null;
  }
}

/** What stands in place of words that PostgreSQL did not take. */
export const lostWords = '(PostgreSQL did not take the words of this.)';

/** The same change without the words that somebody wrote. */
export function withoutWords({ items, ...change }: Change): Change {
  if (!items) return { ...change, detail: lostWords };
  return { ...change, detail: lostWords, items: { ...items, ...(items.reason ? { reason: lostWords } : {}) } };
}

/** Where PostgreSQL refuses the data of a push, the push fails, like one that Jira refuses. */
export async function orFailed(create: () => Promise<CreateEnd>): Promise<CreateEnd> {
  try {
    return await create();
  } catch (error) {
    const reason = refusedData(error);
    if (reason === null) throw error;
    return { outcome: 'failed', reason };
  }
}

/** What nobody asked for has nobody to tell of refused data: the run goes on, and the log has it. */
export async function orLog(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const refusal = refusedData(error);
    if (refusal === null) throw error;
    log.error('a change is left out', { refusal });
  }
}
