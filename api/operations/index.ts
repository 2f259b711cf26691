// The only way in: HTTP routes and Slack listeners both call these, so that every rule is enforced once.

import { createConnectionOperations } from './connections';
import type { OperationDeps } from './deps';
import { createFindingOperations } from './findings';
import { createMemberOperations } from './members';
import { createMissingOperations } from './missing';
import { createPushPicking } from './push-picking';
import { createPushOperations } from './pushes';
import { Refusal } from './refusal';
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
    Object.entries(operations).map(([name, operation]) => [name, withPlainFaults(operation as AnyOperation)]),
  ) as Operations;
}

type AnyOperation = (...args: unknown[]) => Promise<unknown>;

/** Our own trouble in words that name the cure; anything else goes on to the edge's one error handler. */
function withPlainFaults(operation: AnyOperation): AnyOperation {
  return async (...args) => {
    try {
      return await operation(...args);
    } catch (error) {
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
