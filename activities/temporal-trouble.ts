// What is wrong with Temporal and what mends it, in words for operators: no address and no key.

import type { Client } from '@temporalio/client';

const away = 'Temporal does not answer: start it, or correct TEMPORAL_ADDRESS and TEMPORAL_TLS_*.';
const refused = 'Temporal refuses Recheck: correct TEMPORAL_API_KEY, and what it may do in TEMPORAL_NAMESPACE.';

/** By the status of gRPC. */
const words = new Map([
  [4, away],
  [5, 'Temporal has no such namespace: make it, or correct TEMPORAL_NAMESPACE.'],
  [7, refused],
  [14, away],
  [16, refused],
]);

/** What is wrong and what mends it, where an error is about reaching Temporal; null where it is about what was asked. */
export function temporalTrouble(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const status = grpcStatus(error);
  if (status !== null) return words.get(status) ?? null;
  return error.name === 'TransportError' || /connect/i.test(error.message) ? away : null;
}

/** The status of gRPC that an error, or what caused it, came with. */
export function grpcStatus(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  return 'code' in error && typeof error.code === 'number' ? error.code : grpcStatus(error.cause);
}

/** Throws the error with the words of `temporalTrouble` where there are any. */
export function throwExplained(error: unknown): never {
  const trouble = temporalTrouble(error);
  throw trouble ? new Error(trouble, { cause: error }) : error;
}

/** Asks whether Temporal answers, and to us, in our namespace. */
export function createTemporalCheck(client: Client, namespace: string): () => Promise<string> {
  return async () => {
    try {
      await client.withDeadline(Date.now() + 2000, () =>
        client.connection.workflowService.describeNamespace({ namespace }),
      );
      return 'ok';
    } catch (error) {
      return temporalTrouble(error) ?? 'Temporal does not answer as it should: its log says why.';
    }
  };
}
