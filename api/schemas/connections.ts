import { z } from 'zod';
import type { ConnectionRequest, ConnectionTest, ConnectionView, Page } from '../operations/types';
import { count, line, named, page, time } from './shared';

export const connectionRequest = named(
  'ConnectionRequest',
  z.strictObject({
    siteUrl: line(500).describe('https://<your site>.atlassian.net'),
    email: line(320).regex(/^[^\s@]+@[^\s@]+$/, "This must be the e-mail address of the token's Atlassian account."),
    apiToken: line(4_000),
    projectKey: line(255),
    autoSync: z.boolean().optional(),
  }),
) satisfies z.ZodType<ConnectionRequest>;
const connectionFields = {
  id: z.string(),
  kind: z.enum(['api_token', 'oauth']),
  status: z.enum(['connected', 'reconnect_required', 'disconnected']),
  siteUrl: z.string(),
  email: z.string().nullable(),
  projectKey: z.string(),
  autoSync: z.boolean(),
  webhookUrl: z.string(),
  health: z.object({
    reason: z.string().nullable(),
    lastWebhookAt: time.nullable(),
    lastPollAt: time.nullable(),
    webhookExpiresAt: time.nullable(),
    tokenExpiresAt: time.nullable(),
    heldPushes: count,
  }),
};
export const connectionView = named('Connection', z.object(connectionFields)) satisfies z.ZodType<ConnectionView>;
export const connectionPage = page('ConnectionPage', connectionView) satisfies z.ZodType<Page<ConnectionView>>;
export const newConnectionView = named(
  'NewConnection',
  z.object({ ...connectionFields, webhookSecret: z.string().describe('shown this once') }),
);
export const connectionTest = named(
  'ConnectionTest',
  z.object({
    ok: z.boolean(),
    checks: z.array(
      z.object({
        name: z.string(),
        ok: z.boolean(),
        cause: z.exactOptional(z.string()),
        cure: z.exactOptional(z.string()),
      }),
    ),
  }),
) satisfies z.ZodType<ConnectionTest>;
