// Trying again is right while PostgreSQL is away, and never ends where it refuses the data itself.

import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { dataRefused } from '../workflows/rules/refused-data';

/** Another row was there first (unique, exclusion), which may be a race: a retry finds the row and does without. */
const racing = ['23505', '23P01'];
/** What still stands in the way after so many attempts was no race. */
const lastAttempt = 3;

/** The same activities, but an error of the data (PostgreSQL's classes 22 and 23) ends them: no retry mends it. */
export function endingOnRefusedData<Activities extends object>(activities: Activities): Activities {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]: [string, (...args: unknown[]) => Promise<unknown>]) => [
      name,
      async (...args: unknown[]) => {
        try {
          return await activity(...args);
        } catch (error) {
          throw ofData(error) ?? error;
        }
      },
    ]),
  ) as Activities;
}

function ofData(error: unknown): ApplicationFailure | null {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!/^2[23][0-9A-Z]{3}$/.test(code)) return null;
  if (racing.includes(code) && activityInfo().attempt < lastAttempt) return null;
  // Its `detail` is left out: it quotes the row.
  const message = `PostgreSQL refuses the data (${code}): ${(error as Error).message}`;
  return ApplicationFailure.create({ type: dataRefused, nonRetryable: true, message });
}
