// The only way in: HTTP routes and Slack listeners both call these, so that every rule is enforced once.

import { NotDoneYet } from '../../workflows/rules/not-done-yet';
import { refusedData } from '../../workflows/rules/refused-data';
import { createConnectionOperations } from './connections';
import type { OperationDeps } from './deps';
import { createFindingOperations } from './findings';
import { refuseUnfitInput } from './fit-input';
import { createMemberOperations } from './members';
import { createMissingOperations } from './missing';
import { createPushPicking } from './push-picking';
import { createPushOperations } from './pushes';
import { databaseAway, Refusal } from './refusal';
import { createReportOperations } from './reports';
import { createRuleFormOperations } from './rule-form';
import { createRuleOperations } from './rules';
import { createSessionOperations } from './sessions';
import { createSourceOperations } from './sources';
import type { Operations } from './types';

/** All operations over real stores and the real engine. */
export function createOperations(deps: OperationDeps): Operations {
  const findings = createFindingOperations(deps);
  const pushes = createPushOperations(deps);
  const operations: Operations = {
    ...createMemberOperations(deps),
    ...createSourceOperations(deps),
    ...createRuleOperations(deps),
    ...createRuleFormOperations(deps),
    ...createReportOperations(deps),
    ...findings,
    ...pushes,
    ...createPushPicking(deps),
    ...createMissingOperations({ ...deps, getFinding: findings.getFinding, push: pushes.push }),
    ...createSessionOperations(deps),
    ...createConnectionOperations(deps),
  };
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [name, guarded(operation as AnyOperation)]),
  ) as Operations;
}

type AnyOperation = (...args: unknown[]) => Promise<unknown>;

/**
 * Nothing that cannot be stored gets in, from HTTP or from Slack. Our own trouble comes in words that name the cure;
 * anything else goes on to the edge's one error handler.
 */
function guarded(operation: AnyOperation): AnyOperation {
  return async (...args) => {
    for (const arg of args) refuseUnfitInput(arg);
    try {
      return await operation(...args);
    } catch (error) {
      const refusal = refusedDataIn(error);
      if (refusal !== null) {
        const cure = 'Nothing was changed. Send it without unusual characters; if that does not help, see the log.';
        throw new Refusal('invalid', 'data_refused', `${refusal}. ${cure}`, { cause: error });
      }
      if (error instanceof NotDoneYet) {
        const what =
          'It was taken and goes on by itself, but it waits: Jira does not answer now, or there is much to do.';
        const cure = 'Do not send it again; look in a minute what became of it';
        throw new Refusal(
          'unavailable',
          'not_done_yet',
          { http: `${what} ${cure} (GET it).`, slack: `${what} ${cure}.` },
          { cause: error },
        );
      }
      const away = databaseAway(error);
      if (away) throw away;
      if (isEngineAway(error)) {
        throw new Refusal(
          'unavailable',
          'engine_unavailable',
          'The workflow engine does not answer. Nothing was lost; try again in a minute.',
          {
            cause: error,
          },
        );
      }
      throw error;
    }
  };
}

const engineErrors = ['ServiceError', 'WorkflowUpdateRPCTimeoutOrCancelledError', 'RetryableServiceError'];

function isEngineAway(error: unknown): boolean {
  return error instanceof Error && engineErrors.includes(error.name);
}

/** What PostgreSQL said of data that a workflow gave it, which ends the update that brought it. */
function refusedDataIn(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const refusal = refusedData(at);
    if (refusal !== null) return refusal;
  }
  return null;
}
