import type { RequestHandler } from 'express';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

type GaugeSource = { name: string; help: string; read: () => Promise<number> | number };
export type Metrics = ReturnType<typeof createMetrics>;

type DeliveryCounts = { countByState(): Promise<Record<string, number>> };

/** Counting a table for every scrape would make scraping a load of its own. */
const COUNT_EVERY_MS = 15_000;

/**
 * The metrics of one process in a registry of their own: Node's defaults, HTTP durations in seconds by route, Jira
 * deliveries by result and by state, and what `addGauge` is given.
 */
export function createMetrics({ deliveries }: { deliveries: DeliveryCounts }) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const durations = new Histogram({
    name: 'recheck_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const webhooks = new Counter({
    name: 'recheck_jira_deliveries_total',
    help: 'Jira deliveries by result: the state they were stored with, duplicate, or the status of a refusal',
    labelNames: ['result'] as const,
    registers,
  });
  addStoredDeliveries({ registers, deliveries });

  /** Measures what comes after it; the route is the pattern, so that the number of series stays small. */
  const measure: RequestHandler = (req, res, next) => {
    const end = durations.startTimer();
    res.on('close', () => end({ method: req.method, route: routeOf(req), status: String(res.statusCode) }));
    next();
  };

  return {
    registry,
    measure,
    countDelivery: (result: string) => webhooks.inc({ result }),
    /** Adds a gauge that is read at each scrape; where reading fails it keeps its last value. */
    addGauge({ name, help, read }: GaugeSource): void {
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          await Promise.resolve(read()).then(
            (value) => this.set(value),
            () => undefined,
          );
        },
      });
    },
    /** Answers a scrape. */
    answer: (async (_req, res) => {
      res.type(registry.contentType).send(await registry.metrics());
    }) satisfies RequestHandler,
  };
}

function addStoredDeliveries({ registers, deliveries }: { registers: Registry[]; deliveries: DeliveryCounts }): void {
  let countedAt = 0;
  new Gauge({
    name: 'recheck_jira_deliveries',
    help: 'Stored Jira deliveries by state',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      if (Date.now() - countedAt < COUNT_EVERY_MS) return;
      countedAt = Date.now();
      // Without the database the process still has much to say.
      const counts = await deliveries.countByState().catch(() => ({}));
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
}

function routeOf(req: Parameters<RequestHandler>[0]): string {
  const pattern: unknown = req.route?.path;
  return typeof pattern === 'string' ? `${req.baseUrl}${pattern}` : 'none';
}
