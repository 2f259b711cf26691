// ENTRY of `npm run bench`: starts PostgreSQL and Temporal for this run (or takes those of TEST_DATABASE_URL and
// TEST_TEMPORAL_ADDRESS) and runs the benchmarks one after the other, all or those named. Each prints JSON lines.

import { createProgress } from '../../local/progress';
import { onStopSignal } from '../../local/stop-signal';
import { runBulkBench } from './bulk';
import { runCardBench } from './card';
import { runIngestBench } from './ingest';
import { runEventsBench, runLivesBench } from './lives';
import { runPollBench } from './poll';
import { type BenchServers, openServers } from './support/servers';
import { runWebhooksBench } from './webhooks';

const benches: Record<string, (servers: BenchServers) => Promise<unknown>> = {
  webhooks: runWebhooksBench,
  lives: runLivesBench,
  events: runEventsBench,
  card: runCardBench,
  poll: runPollBench,
  bulk: runBulkBench,
  ingest: runIngestBench,
};
const progress = createProgress();

const USAGE = `Say: npm run bench -- [<name> ...]. There are: ${Object.keys(benches).join(', ')}.`;

/** Ends the process where it is not benchmarks that were asked for. */
function readArguments(names: string[]): string[] {
  if (names.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  const unknown = names.find((name) => !Object.hasOwn(benches, name));
  if (unknown === undefined) return names;
  progress.say(`There is no benchmark "${unknown}".\n${USAGE}`);
  process.exit(2);
}

async function main(names: string[]): Promise<void> {
  const servers = await openServers({
    progress,
    databaseUrl: process.env.TEST_DATABASE_URL,
    temporalAddress: process.env.TEST_TEMPORAL_ADDRESS,
  });
  onStopSignal({ first: () => void servers.stop().finally(() => process.exit(130)), again: servers.kill });
  // The benchmarks make their databases on this server.
  process.env.TEST_DATABASE_URL = servers.postgresUrl;
  try {
    const chosen = Object.entries(benches).filter(([name]) => names.length === 0 || names.includes(name));
    for (const [name, run] of chosen) await progress.step(`Benchmark ${name}`, () => run(servers));
  } finally {
    await servers.stop();
  }
}

main(readArguments(process.argv.slice(2))).then(
  () => process.exit(0),
  (error) => {
    progress.say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
