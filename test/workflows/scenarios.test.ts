import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { startWorkflowRunner, type WorkflowRunner } from '../support/workflow-runner';
import { scenarios } from './scenarios';

describe('workflows on a real server', () => {
  let runner: WorkflowRunner;
  beforeAll(async () => {
    runner = await startWorkflowRunner();
  });
  afterAll(async () => {
    await runner.stop();
  });

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
    const workflowId = await scenario.run(runner);
    const history = await runner.client.workflow.getHandle(workflowId).fetchHistory();
    const failed = history.events?.filter((event) => event.workflowTaskFailedEventAttributes);
    expect(failed).toEqual([]);
    if (scenario.name === 'findingLifecycle/verified') expect(history.events?.length).toBeLessThanOrEqual(50);
    // RECORD_HISTORIES=<folder below test/histories> keeps what was played; stored histories are never changed.
    const folder = process.env.RECORD_HISTORIES;
    if (folder) {
      const file = join(__dirname, '..', 'histories', folder, `${scenario.name}.json`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${JSON.stringify({ workflowId, history: JSON.parse(historyToJSON(history)) }, null, 1)}\n`);
    }
  });
});
