import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../support/workflow-runner';
import { scenarios } from './scenarios';

const root = join(__dirname, '..', 'histories');
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
  .map((entry) => join(entry.parentPath, entry.name));

describe('stored histories', () => {
  beforeAll(() => {
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  });

  it('there is one for each scenario', () => {
    const names = files.map((file) => relative(root, file).split('/').slice(1).join('/').replace('.json', ''));
    for (const { name } of scenarios) expect(names).toContain(name);
  });

  it("replay against today's code", async () => {
    const histories = files.map((file) => {
      const { history } = JSON.parse(readFileSync(file, 'utf8'));
      return { workflowId: relative(root, file), history: historyFromJSON(history) };
    });
    const failures: string[] = [];
    let replayed = 0;
    for await (const result of Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, histories)) {
      replayed += 1;
      if (result.error) failures.push(`${result.workflowId}: ${result.error.message}`);
    }
    expect(failures).toEqual([]);
    expect(replayed).toBe(files.length);
  });
});
