// The verdicts of a large session on their way to the lifecycles, in a worker on a real server.

import { randomUUID } from 'node:crypto';
import { type ActivityDeps, createActivities } from '../../activities/index';
import { until } from '../support/until';
import { startWorkflowRunner, type WorkflowRunner } from '../support/workflow-runner';

let runner: WorkflowRunner;
beforeAll(async () => {
  runner = await startWorkflowRunner();
});
afterAll(async () => {
  await runner.stop();
});

it('V3 go through a few at a time, and an attempt goes on where the last one was', async () => {
  const findings = Array.from({ length: 400 }, () => randomUUID());
  const told: string[] = [];
  let atOnce = 0;
  const { deliverVerdicts } = createActivities({
    db: { connections: {}, findings: { forStart: async (_: string, findingId: string) => ({ findingId }) } },
    engine: {
      verdictGiven: async ({ findingId }: { findingId: string }) => {
        told.push(findingId);
        atOnce += 1;
        if (told.length === 1) await until(() => atOnce > 1, { what: 'another verdict on its way' });
        if (told.length === 300) throw new Error('Temporal is away.');
      },
    },
  } as unknown as ActivityDeps);
  runner.use({
    storeVerdicts: async ({ verdicts }) => ({ ended: true, given: verdicts }),
    deliverVerdicts,
  });
  const ref = { organisationId: randomUUID(), sessionId: randomUUID() };
  const verdicts = findings.map((findingId) => ({ findingId, verdict: 'pass' as const }));
  await runner.engine().verdicts(ref, { verdicts, memberId: null, reportId: null });
  await runner.client.workflow.getHandle(`session:${ref.sessionId}`).result();
  expect(new Set(told)).toEqual(new Set(findings));
  // What was on its way with the one that failed is told again, and counts once.
  expect(told.length).toBeLessThanOrEqual(findings.length + 8);
});
