import { z } from 'zod';
import type {
  ConnectionChange,
  ConnectionRequest,
  ConnectionTest,
  ConnectionView,
  MappingView,
  NewToken,
} from '../operations/connection-types';
import type { Page } from '../operations/types';
import { count, line, named, page, time, uuid } from './shared';

const email = line(320).regex(/^[^\s@]+@[^\s@]+$/, "This must be the e-mail address of the token's Atlassian account.");
const apiToken = line(4_000);

export const connectionRequest = named(
  'ConnectionRequest',
  z.strictObject({
    siteUrl: line(500).describe('https://<your site>.atlassian.net'),
    email,
    apiToken,
    projectKey: line(255),
    autoSync: z.boolean().optional(),
    adoptFrom: uuid.optional().describe('a disconnected connection to the same site, whose links move to this one'),
  }),
) satisfies z.ZodType<ConnectionRequest>;
export const connectionChange = named(
  'ConnectionChange',
  z.strictObject({ autoSync: z.boolean().optional(), projectKey: line(255).optional() }),
) satisfies z.ZodType<ConnectionChange>;
export const newToken = named('NewToken', z.strictObject({ email, apiToken })) satisfies z.ZodType<NewToken>;

const checks = z.array(
  z.object({
    name: z.string(),
    ok: z.boolean(),
    cause: z.exactOptional(z.string()),
    cure: z.exactOptional(z.string()),
    state: z.exactOptional(z.enum(['unknown', 'off'])).describe('not failed, but nothing was looked at'),
    note: z.exactOptional(z.string()),
  }),
);
const connectionFields = {
  id: z.string(),
  kind: z.enum(['api_token', 'oauth']),
  status: z.enum(['connected', 'reconnect_required', 'disconnected']),
  siteUrl: z.string(),
  email: z.string().nullable(),
  accountName: z.string().nullable(),
  accountId: z.string().nullable(),
  projectKey: z.string(),
  autoSync: z.boolean(),
  webhookUrl: z.string(),
  health: z.object({
    ok: z.boolean(),
    reason: z.string().nullable(),
    lastWebhookAt: time.nullable(),
    lastPollAt: time.nullable(),
    webhookExpiresAt: time.nullable(),
    webhookError: z.string().nullable(),
    pollError: z.string().nullable(),
    tokenState: z.enum(['valid', 'dead']),
    tokenExpiresAt: time.nullable(),
    heldPushes: count,
    lostProjects: z.array(z.string()),
    checks,
  }),
};
export const connectionView = named('Connection', z.object(connectionFields)) satisfies z.ZodType<ConnectionView>;
export const connectionPage = page('ConnectionPage', connectionView) satisfies z.ZodType<Page<ConnectionView>>;
export const newConnectionView = named(
  'NewConnection',
  z.object({
    ...connectionFields,
    webhookSecret: z.string().describe('shown this once'),
    adopted: count.describe('links that were adopted'),
    toRoute: z
      .object({ sources: z.array(z.string()), how: z.string() })
      .nullable()
      .describe('sources that still name a disconnected connection to this site'),
  }),
);
export const connectionTest = named(
  'ConnectionTest',
  z.object({ ok: z.boolean(), checks }),
) satisfies z.ZodType<ConnectionTest>;

const namedIds = z.array(z.object({ id: z.string(), name: z.string() }));
export const mappingView = named(
  'StatusMapping',
  z.object({
    projectKey: z.string(),
    saved: z.boolean().describe('false while the lists are only proposed'),
    blockedResolutions: namedIds,
    blockedStatuses: namedIds,
    available: z.object({ resolutions: namedIds, statuses: namedIds }),
  }),
) satisfies z.ZodType<MappingView>;
const ids = z
  .array(
    z.union([line(100), z.object({ id: line(100) })]).transform((each) => (typeof each === 'string' ? each : each.id)),
  )
  .max(500);
export const mappingChange = named(
  'StatusMappingChange',
  z.strictObject({ blockedResolutions: ids, blockedStatuses: ids }),
);
