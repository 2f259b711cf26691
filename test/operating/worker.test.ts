import { portTaken } from '../../local/port-taken';
import { freePort } from '../../local/ports';
import { createNamespace } from '../support/stack';
import { launch, untilUp } from '../support/stack-processes';
import { openStores, type Stores } from '../support/stores';
import { startTcpProxy } from '../support/tcp-proxy';
import { until } from '../support/until';

/** Lines of the worker's log; one that is not JSON fails the test. */
const linesOf = (log: string): { [name: string]: unknown }[] =>
  log
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe('O3 the worker', () => {
  let stores: Stores;
  let namespace: Awaited<ReturnType<typeof createNamespace>>;
  beforeAll(async () => {
    [stores, namespace] = await Promise.all([openStores(), createNamespace()]);
  });
  afterAll(async () => {
    await stores?.close();
    await namespace?.drop();
  });
  const environment = (more: Record<string, string>) => ({
    DATABASE_URL: stores.url,
    ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
    BASE_URL: 'http://127.0.0.1:1',
    HOST: '127.0.0.1',
    TEMPORAL_ADDRESS: namespace.address,
    TEMPORAL_NAMESPACE: namespace.namespace,
    ...more,
  });

  it('says whether Temporal answers, with figures and a log of its SDK', async () => {
    const [proxy, port] = await Promise.all([startTcpProxy(namespace.address), freePort()]);
    const env = environment({ TEMPORAL_ADDRESS: proxy.address, METRICS_PORT: String(port), LOG_LEVEL: 'info' });
    const worker = launch('activities/worker.js', env);
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    };
    const isReady = (status: number) => until(async () => (await ask('/readyz')).status === status, { seconds: 60 });
    try {
      await untilUp(worker, 'the worker', () => worker.log().includes('"ready":true'));
      await isReady(200);
      const figures = await ask('/metrics');
      expect(figures.text).toContain('temporal_worker_task_slots_available');
      expect(figures.text).toContain('process_cpu_seconds_total');

      await proxy.cut();
      await isReady(503);
      const { text } = await ask('/readyz');
      expect(JSON.parse(text)).toMatchObject({
        checks: { postgresql: 'ok', temporal: expect.stringContaining('TEMPORAL_ADDRESS') },
      });
      expect(await ask('/healthz')).toMatchObject({ status: 200 });
      expect(await ask('/metrics')).toMatchObject({ status: 200 });
      await until(() => linesOf(worker.log()).some((line) => line.sdkComponent === 'core' && line.level === 40), {
        seconds: 60,
        what: 'a line about what Temporal does not answer',
      });
      await proxy.restore();
      await isReady(200);
      expect(linesOf(worker.log()).filter(({ msg }) => String(msg).startsWith('No workflows'))).toEqual([]);
    } finally {
      await worker.signal('SIGTERM');
      await proxy.stop();
    }
    await until(() => linesOf(worker.log()).some(({ name, state }) => name === 'worker' && state === 'STOPPED'), {
      what: 'the last lines of the log',
    });
  });

  it('is not ready where METRICS_PORT is taken, and names it', async () => {
    const taken = new URL(stores.url).port;
    const worker = launch('activities/worker.js', environment({ METRICS_PORT: taken, LOG_LEVEL: 'silent' }));
    await until(() => worker.hasEnded(), { seconds: 60, what: 'the end of the worker' });
    expect(worker.log()).toMatch(new RegExp(`^METRICS_PORT ${taken} is in use \\(EADDRINUSE\\): .*\\n$`));
    expect(portTaken('worker', worker.log())).toBeDefined();
  });
});
