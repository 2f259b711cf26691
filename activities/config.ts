// The environment, parsed once by each entry. The only reader of process.env in the product.

import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import type { Timings } from '../workflows/contract';

/** Node's timers take no more: they would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** For what PostgreSQL and Temporal wait for. */
const YEAR_MS = 366 * 86_400_000;

const ms = (fallback: number, { min = 0, max = LONGEST_TIMER_MS } = {}) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const webUrl = z
  .url({ protocol: /^https?$/, hostname: /./, error: 'must be a URL that begins with https:// or http://' })
  .refine((url) => !/[?#]|\/\/[^/]*@/.test(url), 'must have no query, fragment or user');
/** What paths are put behind. */
const baseUrl = webUrl.transform((url) => url.replace(/\/+$/, ''));
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );

const environment = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
    .refine((url) => URL.canParse(url), 'is not a URL: percent-encode what is special in its password'),
  ENCRYPTION_KEYS: z.string().min(1),
  BASE_URL: baseUrl,
  HOST: z.string().default('0.0.0.0'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  SLACK_SIGNING_SECRET: z.string().default(''),
  SLACK_BOT_TOKEN: z.string().default(''),
  SLACK_API_URL: webUrl.default('https://slack.com/api/'),
  SLACK_COMMAND: z.string().startsWith('/').default('/recheck'),
  JIRA_ALLOWED_HTTP_ORIGINS: list,
  ATLASSIAN_CLIENT_ID: z.string().default(''),
  ATLASSIAN_CLIENT_SECRET: z.string().default(''),
  ATLASSIAN_AUTH_URL: baseUrl.default('https://auth.atlassian.com'),
  ATLASSIAN_API_URL: baseUrl.default('https://api.atlassian.com'),
  JIRA_TIMEOUT_MS: ms(20_000, { min: 100 }),
  PUSH_INTERVAL_MS: ms(150),
  SETTLE_MS: ms(45_000),
  CREATE_TIMEOUT_MS: ms(30_000),
  SEARCH_WINDOW_MS: ms(180_000),
  SEARCH_PAUSE_MS: ms(15_000),
  // Shorter, and an idle server would do nothing but sweep.
  SWEEP_MS: ms(5_000, { min: 100 }),
  APPROVAL_REMIND_MS: ms(86_400_000, { max: YEAR_MS }),
  APPROVAL_EXPIRE_MS: ms(604_800_000, { max: YEAR_MS }),
  POLL_INTERVAL_MS: ms(3_600_000, { min: 1000 }),
  POLL_CHECKS: z.coerce.number().int().min(0).max(10_000).default(200),
  MAINTENANCE_INTERVAL_MS: ms(900_000, { min: 1000 }),
  CONNECT_LINK_MS: ms(600_000, { min: 1000 }),
  REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).default(6_000),
  METRICS_PORT: z.coerce.number().int().min(0).max(65535).optional(),
});

export type Config = ReturnType<typeof parseConfig>;

/**
 * Reads the configuration, frozen. Throws one error that names every wrong variable and what is wrong with it,
 * never a value: many of them are secrets.
 */
export function parseConfig(env: { [name: string]: string | undefined } = process.env) {
  const trimmed = Object.entries(env).map(([name, value]) => [name, value?.trim()] as const);
  const given = Object.fromEntries(trimmed.filter(([, value]) => value));
  const result = environment.safeParse(given);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The environment is not complete or not valid:\n${lines.join('\n')}\nSee .env.example.`);
  }
  const e = result.data;
  const timings: Timings = {
    settleMs: e.SETTLE_MS,
    createTimeoutMs: e.CREATE_TIMEOUT_MS,
    searchWindowMs: e.SEARCH_WINDOW_MS,
    searchPauseMs: e.SEARCH_PAUSE_MS,
  };
  if (e.JIRA_TIMEOUT_MS + 2000 > e.CREATE_TIMEOUT_MS) {
    throw new Error(
      'CREATE_TIMEOUT_MS must be at least 2000 more than JIRA_TIMEOUT_MS: the answer to a create and the wait for its slot must fit into it.',
    );
  }
  return Object.freeze({
    databaseUrl: e.DATABASE_URL,
    encryptionKeys: e.ENCRYPTION_KEYS,
    baseUrl: e.BASE_URL,
    host: e.HOST,
    port: e.PORT,
    logLevel: e.LOG_LEVEL,
    temporal: temporalOf(given),
    slack: {
      signingSecret: e.SLACK_SIGNING_SECRET,
      botToken: e.SLACK_BOT_TOKEN,
      apiUrl: e.SLACK_API_URL,
      command: e.SLACK_COMMAND,
    },
    jira: {
      allowedHttpOrigins: e.JIRA_ALLOWED_HTTP_ORIGINS,
      timeoutMs: e.JIRA_TIMEOUT_MS,
      pushIntervalMs: e.PUSH_INTERVAL_MS,
    },
    /** The OAuth app at Atlassian; without an id and a secret people connect by API token alone. */
    atlassian: {
      clientId: e.ATLASSIAN_CLIENT_ID,
      clientSecret: e.ATLASSIAN_CLIENT_SECRET,
      authUrl: e.ATLASSIAN_AUTH_URL,
      apiUrl: e.ATLASSIAN_API_URL,
    },
    /** How often connections are polled and looked after; `checks` issues per poll are looked at whether they exist. */
    sync: { pollMs: e.POLL_INTERVAL_MS, checks: e.POLL_CHECKS, maintenanceMs: e.MAINTENANCE_INTERVAL_MS },
    connectLinkMs: e.CONNECT_LINK_MS,
    timings,
    /** After how long an approval that nobody gave is asked for again, and after how long it expires. */
    approval: { remindMs: e.APPROVAL_REMIND_MS, expireMs: e.APPROVAL_EXPIRE_MS },
    sweepMs: e.SWEEP_MS,
    requestsPerMinute: e.REQUESTS_PER_MINUTE,
    metricsPort: e.METRICS_PORT,
  });
}

/** Temporal's own variables (TEMPORAL_ADDRESS, _NAMESPACE, _API_KEY, _TLS_*), as its SDK reads them; Cloud needs no more. */
function temporalOf(env: { [name: string]: string | undefined }) {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { connectionOptions, namespace } = loadClientConnectConfig({ disableFile: true, overrideEnvVars });
  const { address = '127.0.0.1:7233', apiKey, tls, metadata } = connectionOptions;
  return {
    namespace: namespace ?? 'default',
    connection: {
      address,
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(tls ? { tls } : {}),
      ...(metadata ? { metadata } : {}),
    },
  };
}
