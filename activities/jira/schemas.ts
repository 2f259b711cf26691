import { z } from 'zod';

// What we read of Jira's answers. All objects are loose: the live API adds fields that its description does not know,
// and a new field must never stop a push.

const text = z.string();
const category = z.looseObject({ key: text });
const status = z.looseObject({ id: text, name: text, statusCategory: category });
const named = z.looseObject({ id: text, name: text });

export const myself = z.looseObject({
  accountId: text,
  displayName: text.optional(),
  accountType: text.optional(),
  timeZone: text.optional(),
});

export const users = z.array(
  z.looseObject({ accountId: text, displayName: text.optional(), active: z.boolean().default(true) }),
);

export const serverInfo = z.looseObject({
  baseUrl: text.optional(),
  serverTitle: text.optional(),
  deploymentType: text.optional(),
});

export const permissions = z.looseObject({
  permissions: z.record(text, z.looseObject({ havePermission: z.boolean() })),
});

export const project = z.looseObject({
  id: text,
  key: text,
  name: text,
  style: text.optional(),
  simplified: z.boolean().optional(),
});

export const projectPage = z.looseObject({
  values: z.array(project),
  total: z.number().optional(),
  isLast: z.boolean().optional(),
});

export const issueType = z.looseObject({ id: text, name: text, subtask: z.boolean().default(false) });

export const issueTypePage = z.looseObject({
  issueTypes: z.array(issueType).optional(),
  createMetaIssueType: z.array(issueType).optional(),
  total: z.number().optional(),
});

const allowedValue = z.looseObject({ id: text.optional(), name: text.optional(), value: text.optional() });

export const issueField = z.looseObject({
  fieldId: text,
  name: text,
  required: z.boolean(),
  hasDefaultValue: z.boolean().default(false),
  schema: z.looseObject({ type: text.optional() }).optional(),
  // Some fields list plain strings here; only objects are of use to us.
  allowedValues: z
    .array(z.unknown())
    .transform((values) =>
      values.flatMap((value) => {
        const parsed = allowedValue.safeParse(value);
        return parsed.success ? [parsed.data] : [];
      }),
    )
    .optional(),
});

export const issueFieldPage = z.looseObject({
  fields: z.array(issueField).optional(),
  results: z.array(issueField).optional(),
  total: z.number().optional(),
});

export const createdIssue = z.looseObject({ id: text, key: text });

export const issue = z.looseObject({
  id: text,
  // Search answers ids only unless fields are asked for.
  key: text.optional(),
  fields: z
    .looseObject({
      summary: text.nullish(),
      status: status.optional(),
      resolution: named.nullish(),
      project: z.looseObject({ id: text, key: text }).optional(),
      labels: z.array(text).optional(),
      updated: text.optional(),
      attachment: z.array(z.looseObject({ id: text, filename: text })).optional(),
    })
    .optional(),
  properties: z.record(text, z.unknown()).optional(),
  changelog: z.unknown().optional(),
});

export const bulkFetchedIssues = z.looseObject({
  issues: z.array(issue).default([]),
  issueErrors: z.array(z.looseObject({ id: text.optional(), errorMessage: text.optional() })).default([]),
});

export const searchResults = z.looseObject({
  issues: z.array(issue).default([]),
  isLast: z.boolean().optional(),
  nextPageToken: text.nullish(),
});

export const comment = z.looseObject({ id: text });

export const transitions = z.looseObject({
  transitions: z.array(
    z.looseObject({
      id: text,
      name: text,
      to: status,
      fields: z
        .record(
          text,
          z.looseObject({ required: z.boolean().default(false), allowedValues: z.array(z.unknown()).optional() }),
        )
        .optional(),
    }),
  ),
});

export const attachmentMeta = z.looseObject({ enabled: z.boolean(), uploadLimit: z.number().optional() });

export const attachments = z.array(z.looseObject({ id: text, filename: text, size: z.number().optional() }));

export const resolutionPage = z.looseObject({ values: z.array(named), isLast: z.boolean().optional() });

export const projectStatuses = z.array(z.looseObject({ id: text, name: text, statuses: z.array(status) }));

const webhookId = z.union([z.number(), text]).transform(String);
// The description says a number of milliseconds, the live API sends an ISO text.
const moment = z.union([z.number(), text]).transform((value, context) => {
  const date = new Date(value);
  if (Number.isFinite(date.getTime())) return date;
  context.addIssue({ code: 'custom', message: 'not a moment' });
  return z.NEVER;
});

export const registeredWebhooks = z.looseObject({
  webhookRegistrationResult: z.array(
    z.looseObject({ createdWebhookId: webhookId.optional(), errors: z.array(text).optional() }),
  ),
});

export const webhook = z.looseObject({
  id: webhookId,
  url: text.optional(),
  jqlFilter: text.optional(),
  events: z.array(text).default([]),
  fieldIdsFilter: z.array(text).optional(),
  expirationDate: moment.optional(),
});

export const webhookPage = z.looseObject({
  values: z.array(webhook).default([]),
  isLast: z.boolean().optional(),
  total: z.number().optional(),
});

export const webhookExpiry = z.looseObject({ expirationDate: moment.optional() });

export type JiraWebhook = z.infer<typeof webhook>;
export type JiraUser = z.infer<typeof myself>;
export type JiraProject = z.infer<typeof project>;
export type JiraIssueType = z.infer<typeof issueType>;
/** One field of the create screen of a project and issue type ("createmeta"). */
export type JiraIssueField = z.infer<typeof issueField>;
export type JiraIssue = z.infer<typeof issue>;
export type JiraTransition = z.infer<typeof transitions>['transitions'][number];
