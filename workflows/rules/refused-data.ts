// Data that PostgreSQL refuses, however often it is asked: the name under which activities say so to workflows.

import { ActivityFailure, ApplicationFailure } from '@temporalio/common';

/** The type of the failure that activities end with, so that nothing waits for a retry (activities/refused-data.ts). */
export const dataRefused = 'DataRefused';

/** What PostgreSQL said of the data that an activity gave it; null for every other error. */
export function refusedData(error: unknown): string | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.type === dataRefused ? cause.message : null;
}
