// Telling issues of their places, on a real server. What is played is kept by RECORD_HISTORIES=<folder below
// test/histories>; replay.test.ts replays what is stored there.

import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { groupedIssuesWorkflowId } from '../../workflows/contract';
import { startWorkflowRunner, type WorkflowRunner } from '../support/workflow-runner';

describe('R1 the news on grouped issues', () => {
  let runner: WorkflowRunner;
  beforeAll(async () => {
    runner = await startWorkflowRunner();
  });
  afterAll(async () => {
    await runner.stop();
  });

  it('goes to each issue, once per report, and one that cannot be told stops nothing', async () => {
    const told: string[] = [];
    runner.use({
      updateGroupedIssue: async ({ findingId }) => {
        told.push(findingId);
        if (findingId === 'b') throw ApplicationFailure.nonRetryable('It is gone.', 'JiraNotFound');
      },
    });
    const input = {
      ...{ organisationId: randomUUID(), reportId: randomUUID() },
      changed: ['a', 'b', 'c'].map((findingId) => ({ findingId, came: 1, gone: 2 })),
    };
    await runner.engine().updateGroupedIssues(input);
    const run = runner.client.workflow.getHandle(groupedIssuesWorkflowId(input.reportId));
    await run.result();
    expect(told).toEqual(['a', 'b', 'c']);
    record(await run.fetchHistory());
  });
});

function record(history: Parameters<typeof historyToJSON>[0]): void {
  const folder = process.env.RECORD_HISTORIES;
  if (!folder) return;
  const file = join(__dirname, '..', 'histories', folder, 'groupedIssues', 'told.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ history: JSON.parse(historyToJSON(history)) })}\n`);
}
