import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { FormData } from 'undici';
import type { JiraFetch } from '../../activities/jira/transport';

/** One request as it was sent. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | FormData | undefined;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: { type?: string; items?: unknown };
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: Parameter[];
  readonly requestBody?: { required?: boolean; content: Record<string, { schema: object }> };
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

type PathItem = Record<string, Operation>;

const ROOT = 'jira-openapi';
const OPEN_ROOT = 'jira-openapi-open';
const description = JSON.parse(readFileSync(join(__dirname, '..', 'contract', 'jira-openapi.json'), 'utf8')) as {
  paths: Record<string, PathItem>;
};

const ajv = addFormats(new Ajv({ strict: false, allErrors: true, validateSchema: false, coerceTypes: false }));
ajv.addSchema({ $id: ROOT, ...(toJsonSchema(description) as object) });
ajv.addSchema({ $id: OPEN_ROOT, ...(toJsonSchema(description, { open: true }) as object) });

const compiled = new Map<string, ValidateFunction>();

/**
 * Wraps the fetch that sends: keeps every request and fails it on the spot when Atlassian's OpenAPI description does not
 * allow it.
 */
export function recordingFetch(send: JiraFetch): { fetch: JiraFetch; requests: SentRequest[] } {
  const requests: SentRequest[] = [];
  const fetch: JiraFetch = (url, init) => {
    const request = { method: init.method, url, headers: init.headers, body: init.body };
    requests.push(request);
    assertMatchesOpenApi(request);
    return send(url, init);
  };
  return { fetch, requests };
}

/** Throws, naming every difference, unless Atlassian's description knows this method, path, query and body. */
export function assertMatchesOpenApi(request: SentRequest): string {
  const url = new URL(request.url);
  const { operation, variables } = findOperation(request.method, url.pathname);
  const problems = [...parameterProblems(operation, url, variables), ...bodyProblems(operation, request)];
  if (problems.length > 0) {
    throw new Error(
      `${request.method} ${url.pathname} differs from ${operation.operationId}:\n- ${problems.join('\n- ')}`,
    );
  }
  return operation.operationId;
}

/**
 * Throws unless an answer has the form that Atlassian describes for this call and status. Fields that the description
 * does not know are allowed, because the live API sends some.
 */
export function assertAnswerMatchesOpenApi(answer: {
  method: string;
  path: string;
  status: number;
  body: unknown;
}): void {
  const { operation } = findOperation(answer.method, answer.path);
  const response = operation.responses[String(answer.status)];
  if (!response) throw new Error(`${operation.operationId} does not describe an answer with ${answer.status}`);
  const schema = response.content?.['application/json']?.schema;
  if (!schema) return;
  const validate = compile(toJsonSchema(schema, { open: true }) as object, OPEN_ROOT);
  if (!validate(answer.body)) {
    throw new Error(`The answer to ${operation.operationId} differs: ${ajv.errorsText(validate.errors)}`);
  }
}

function findOperation(method: string, pathname: string): { operation: Operation; variables: Record<string, string> } {
  const path = pathname.replace(/^\/ex\/jira\/[^/]+/, '');
  // A fixed word beats a variable: /issue/bulkfetch is not an issue called "bulkfetch".
  const templates = Object.keys(description.paths).sort((a, b) => a.split('{').length - b.split('{').length);
  for (const template of templates) {
    const operation = description.paths[template]?.[method.toLowerCase()];
    const variables = matchPath(template, path);
    if (operation && variables) return { operation, variables };
  }
  throw new Error(`${method} ${path} is no call of Atlassian's OpenAPI description`);
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const pattern = template.replaceAll(/\{\w+\}/g, '([^/]+)');
  const match = new RegExp(`^${pattern}$`).exec(path);
  return match
    ? Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')]))
    : undefined;
}

function parameterProblems(operation: Operation, url: URL, variables: Record<string, string>): string[] {
  const known = operation.parameters ?? [];
  const query = known.filter((parameter) => parameter.in === 'query');
  const unknown = [...url.searchParams.keys()].filter((name) => !query.some((parameter) => parameter.name === name));
  const wrong = known.flatMap((parameter) => {
    const values =
      parameter.in === 'path' ? [variables[parameter.name] ?? ''] : url.searchParams.getAll(parameter.name);
    if (parameter.in !== 'path' && parameter.in !== 'query') return [];
    if (values.length === 0) return parameter.required ? [`query parameter ${parameter.name} is missing`] : [];
    const validate = compile(toJsonSchema(parameter.schema) as object);
    return validate(parsedParameter(parameter, values))
      ? []
      : [`${parameter.in} parameter ${parameter.name}: ${ajv.errorsText(validate.errors)}`];
  });
  return [...unknown.map((name) => `query parameter ${name} is not known`), ...wrong];
}

function parsedParameter({ schema }: Parameter, values: string[]): unknown {
  const [value = ''] = values;
  if (schema.type === 'array') return values.flatMap((part) => part.split(','));
  if (schema.type === 'integer' || schema.type === 'number') return value === '' ? value : Number(value);
  if (schema.type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  return value;
}

function bodyProblems(operation: Operation, request: SentRequest): string[] {
  const content = operation.requestBody?.content;
  if (!content) return request.body === undefined ? [] : ['a body is sent where none is known'];
  if (content['multipart/form-data']) return multipartProblems(request);
  if (typeof request.body !== 'string') return operation.requestBody?.required ? ['the body is missing'] : [];
  const type = request.headers['content-type'] ?? '';
  const schema = content[type]?.schema;
  if (!schema) return [`content type ${type || '(none)'} is not known`];
  const validate = compile(toJsonSchema(schema) as object);
  return validate(JSON.parse(request.body)) ? [] : [`body: ${ajv.errorsText(validate.errors)}`];
}

function multipartProblems({ headers, body }: SentRequest): string[] {
  if (!(body instanceof FormData)) return ['the body is no multipart form'];
  const names = [...body.keys()].filter((name) => name !== 'file');
  return [
    ...names.map((name) => `part ${name} is not called file`),
    ...(headers['x-atlassian-token'] === 'no-check' ? [] : ['header X-Atlassian-Token: no-check is missing']),
    ...(headers['content-type'] ? ['Content-Type is set, which loses the boundary'] : []),
  ];
}

function compile(schema: object, root = ROOT): ValidateFunction {
  const text = JSON.stringify(schema).replaceAll('"#/', `"${root}#/`);
  const key = `${root} ${text}`;
  const existing = compiled.get(key);
  if (existing) return existing;
  const validate = ajv.compile(JSON.parse(text) as object);
  compiled.set(key, validate);
  return validate;
}

// OpenAPI 3.0's `nullable` becomes JSON Schema's null type; `open` allows properties that the description lacks.
function toJsonSchema(node: unknown, options: { open?: boolean } = {}): unknown {
  if (Array.isArray(node)) return node.map((item) => toJsonSchema(item, options));
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, ...rest } = node as Record<string, unknown>;
  const converted: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) converted[key] = toJsonSchema(value, options);
  if (options.open && converted.additionalProperties === false) delete converted.additionalProperties;
  return nullable === true ? { anyOf: [converted, { type: 'null' }] } : converted;
}
