import type { Client } from '@temporalio/client';
import {
  type EvidenceInput,
  evidenceSignal,
  evidenceWorkflowId,
  searchAttributes,
  taskQueue,
} from '../workflows/contract';

/** The engine's call for pictures; `call` bounds it. */
export function createEvidenceStart({
  client,
  call,
}: {
  client: Client;
  call: <T>(work: () => Promise<T>) => Promise<T>;
}) {
  return {
    /** Has the pictures of a finding attached to its issue; one that runs looks again. */
    async attachEvidence(input: EvidenceInput): Promise<void> {
      const args: [EvidenceInput] = [input];
      await call(() =>
        client.workflow.signalWithStart('evidence', {
          workflowId: evidenceWorkflowId(input.findingId),
          taskQueue,
          args,
          signal: evidenceSignal,
          signalArgs: [],
          staticSummary: 'Pictures of a finding',
          typedSearchAttributes: [{ key: searchAttributes.organisation, value: input.organisationId }],
        }),
      );
    },
  };
}
