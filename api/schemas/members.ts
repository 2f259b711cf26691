import { z } from 'zod';
import { operations } from '../../workflows/rules/permissions';
import { roles } from '../../workflows/rules/vocabulary';
import type { ApiKeyRequest, ApiKeyView, MemberRequest, MemberView, Page } from '../operations/types';
import { line, named, page, time, uuid } from './shared';

export const memberRequest = named(
  'MemberRequest',
  z.strictObject({ name: line(200), role: z.enum(roles), slackUserId: line(50).optional() }),
) satisfies z.ZodType<MemberRequest>;
export const memberView = named(
  'Member',
  z.object({ id: z.string(), name: z.string(), role: z.enum(roles), slackUserId: z.string().nullable() }),
) satisfies z.ZodType<MemberView>;
export const memberPage = page('MemberPage', memberView) satisfies z.ZodType<Page<MemberView>>;
export const apiKeyRequest = named(
  'ApiKeyRequest',
  z.strictObject({
    member: uuid,
    name: line(200),
    scopes: z
      .array(z.enum([...operations, '*']))
      .max(50)
      .optional(),
  }),
) satisfies z.ZodType<ApiKeyRequest>;
const apiKeyFields = {
  id: z.string(),
  member: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  createdAt: time,
};
export const apiKeyView = named('ApiKey', z.object(apiKeyFields)) satisfies z.ZodType<ApiKeyView>;
export const apiKeyPage = page('ApiKeyPage', apiKeyView) satisfies z.ZodType<Page<ApiKeyView>>;
export const newApiKeyView = named(
  'NewApiKey',
  z.object({ ...apiKeyFields, key: z.string().describe('shown this once') }),
);
