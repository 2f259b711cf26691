// The OpenAPI document, made from the table that also registers the routes, so that the two cannot drift apart.

import { z } from 'zod';
import type { Answers, Route } from './routes/route';
import { components, problem } from './schemas/shared';

type Json = { [key: string]: unknown };
type OpenApiDocument = {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  security: Json[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Json>>;
  components: { schemas: Record<string, Json>; securitySchemes: Json };
};

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12, of `routes` and of what is served beside them. */
export function openApiDocument({ routes, baseUrl }: { routes: Route[]; baseUrl: string }): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Recheck',
      version: '1',
      description:
        'Closes the loop between findings and Jira Cloud: Done is a claim, and only a passed re-run closes it. ' +
        'Errors are application/problem+json with cause and cure in `detail`. Sets of words only ever grow.',
    },
    servers: [{ url: baseUrl }],
    security: [{ apiKey: [] }],
    tags: [...new Set([...routes.map((route) => route.tag), 'Inbound', 'Operating'])].map((name) => ({ name })),
    paths: { ...paths, ...inboundPaths, ...operatingPaths },
    components: { schemas: componentSchemas(), securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
  };
}

function operationOf(route: Route): Json {
  const parameters = [
    ...parametersOf(route.params, 'path'),
    ...parametersOf(route.query, 'query'),
    ...parametersOf(route.headers, 'header').filter(({ name }) => name !== 'content-encoding'),
  ];
  const body = requestBodyOf(route);
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: responsesOf(route.answers),
  };
}

/** `POST /api/v1/pushes/{id}/retry` -> `postPushesIdRetry`. */
function operationId({ method, path }: Route): string {
  const words = path.replace('/api/v1/', '').split(/[^A-Za-z0-9]+/);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function parametersOf(schema: z.ZodObject | null, where: 'path' | 'query' | 'header'): Json[] {
  if (!schema) return [];
  return Object.entries(schema.shape).map(([name, field]) => {
    const { description, ...rest } = withoutDialect(z.toJSONSchema(field, { io: 'input' }));
    const required = where === 'path' || !field.safeParse(undefined).success;
    return { name, in: where, required, ...(description ? { description } : {}), schema: rest };
  });
}

function requestBodyOf({ raw, body }: Route): Json | null {
  if (raw) {
    const content = { 'application/octet-stream': {}, 'multipart/form-data': reportForm };
    return { required: true, description: reportBody, content };
  }
  if (!body) return null;
  return { required: !body.safeParse({}).success, content: { 'application/json': { schema: schemaOf(body) } } };
}

const reportBody = [
  'The report file as it is; its format is recognised by its content. Content-Encoding: gzip is taken.',
  'Or a form with the report in the part `report` (at most 100 MB) and up to 50 pictures (PNG, JPEG, WebP or GIF by',
  'their content, 10 MB each). Which findings a picture shows is told by its file name, where the report lists it as an',
  'attachment (a name that occurs in several folders is sent with its folder), or by the name of its part:',
  '`evidence[<fingerprint, test name or page URL>]`. A picture that shows no finding is not kept, and told in the answer',
  'under `pictures`. The others are attached to the Jira issues of their findings, each once.',
].join(' ');

const reportForm = {
  schema: {
    type: 'object',
    required: ['report'],
    properties: { report: { description: 'the report file' } },
    additionalProperties: { description: 'a picture, in a part named evidence[<fingerprint, test name or page URL>]' },
  },
};

function responsesOf(answers: Answers): Json {
  const responses: Json = {};
  for (const [status, { description, schema, contentTypes = [] }] of Object.entries(answers)) {
    if (Number(status) >= 400) responses[status] = problemAnswer(description);
    else
      responses[status] = {
        description,
        ...(schema ? { content: { 'application/json': { schema: schemaOf(schema) } } } : {}),
        ...(contentTypes.length > 0 ? { content: Object.fromEntries(contentTypes.map((type) => [type, {}])) } : {}),
      };
  }
  responses.default = problemAnswer('What went wrong, with its cause and its cure');
  return responses;
}

const problemAnswer = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: schemaOf(problem) } },
});

const pathOfComponent = (id: string) => `#/components/schemas/${id}`;

function schemaOf(schema: z.ZodType): Json {
  const id = components.get(schema)?.id;
  if (!id) throw new Error('A body or an answer of the API has no name: give it one in api/schemas.');
  return { $ref: pathOfComponent(id) };
}

function componentSchemas(): Record<string, Json> {
  const { schemas } = z.toJSONSchema(components, { io: 'input', uri: pathOfComponent });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutDialect(schema)]));
}

/** 3.1 says the dialect once for the document, and components are found by their place. */
function withoutDialect(schema: object): Json {
  const { $schema, $id, ...rest } = schema as Json;
  return rest;
}

const plain = (description: string) => ({ description });

const deliveryAnswers = {
  200: plain('Stored, now or before'),
  400: problemAnswer('No integration_id, or a delivery that is older than 24 hours'),
  401: problemAnswer('X-Hub-Signature is missing or wrong'),
  404: problemAnswer('No connection has this integration_id'),
  413: problemAnswer('Larger than 25 MB'),
  503: problemAnswer('Trouble of ours: Jira sends it again'),
};
const delivery = {
  tags: ['Inbound'],
  security: [],
  requestBody: { content: { 'application/json': {} } },
  responses: deliveryAnswers,
};
const integrationId = (where: 'path' | 'query', name: string) => ({
  name,
  in: where,
  required: true,
  schema: { type: 'string' },
});

const inboundPaths: OpenApiDocument['paths'] = {
  '/api/integrations/jira/webhook': {
    post: {
      ...delivery,
      operationId: 'postJiraWebhook',
      summary: "Takes Jira's signed webhooks",
      parameters: [integrationId('query', 'integration_id')],
    },
  },
  '/api/integrations/jira/webhook/{id}': {
    post: {
      ...delivery,
      operationId: 'postJiraWebhookById',
      summary: "Takes Jira's signed webhooks, the connection named in the path",
      parameters: [integrationId('path', 'id')],
    },
  },
  '/slack/events': {
    post: {
      tags: ['Inbound'],
      security: [],
      operationId: 'postSlackEvents',
      summary: "Takes Slack's signed requests: commands, interactivity, events",
      responses: { 200: plain('As Slack expects'), 401: plain('The signature is missing or wrong') },
    },
  },
};

const open = (operationId: string, summary: string, responses: Json) => ({
  get: { tags: ['Operating'], security: [], operationId, summary, responses },
});

const operatingPaths: OpenApiDocument['paths'] = {
  '/healthz': open('getHealth', 'Whether the process answers', { 200: plain('It does') }),
  '/readyz': open('getReadiness', 'Whether PostgreSQL and Temporal answer', {
    200: plain('Ready'),
    503: plain('Not ready'),
  }),
  '/metrics': open('getMetrics', 'Metrics for Prometheus', { 200: plain('Text exposition format') }),
  '/docs': open('getDocs', 'This document for people', { 200: plain('A page') }),
  '/openapi.json': open('getOpenApi', 'This document', { 200: plain('OpenAPI 3.1') }),
};
