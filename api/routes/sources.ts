import { z } from 'zod';
import { pageQuery, sourceKey } from '../schemas/shared';
import {
  issuePreview,
  issuePreviewRequest,
  newSource,
  reportHeaders,
  reportQuery,
  reportView,
  ruleChange,
  ruleForm,
  ruleFormQuery,
  ruleView,
  sourcePage,
  sourceView,
} from '../schemas/sources';
import { reportUpload } from './report-upload';
import { defineRoute, type Route } from './route';

const params = z.object({ key: sourceKey });
const tag = 'Sources and reports';

export const sourceRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/sources',
    tag,
    summary: 'Lists the sources that findings come from',
    query: pageQuery,
    answers: { 200: { description: 'A page of sources', schema: sourcePage } },
    handle: async ({ operations, caller, query }) => ({
      status: 200,
      body: await operations.listSources(caller, query),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/sources',
    tag,
    summary: 'Adds a source',
    body: newSource,
    answers: { 201: { description: 'The source', schema: sourceView }, 409: { description: 'The key is taken' } },
    handle: async ({ operations, caller, body }) => ({
      status: 201,
      body: await operations.createSource(caller, body),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/sources/{key}/rule',
    tag,
    summary: "Shows a source's sync rule",
    params,
    answers: { 200: { description: 'The whole rule', schema: ruleView } },
    handle: async ({ operations, caller, params: { key } }) => ({
      status: 200,
      body: await operations.getRule(caller, key),
    }),
  }),
  defineRoute({
    method: 'put',
    path: '/api/v1/sources/{key}/rule',
    tag,
    summary: "Changes a source's sync rule; what is absent stays",
    params,
    body: ruleChange,
    answers: { 200: { description: 'The whole rule', schema: ruleView } },
    handle: async ({ operations, caller, params: { key }, body }) => ({
      status: 200,
      body: await operations.putRule(caller, key, body),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/sources/{key}/rule/form',
    tag,
    summary: 'What a form for the sync rule offers, as Jira has it now',
    params,
    query: ruleFormQuery,
    answers: { 200: { description: 'The rule and its choices', schema: ruleForm } },
    handle: async ({ operations, caller, params: { key }, query }) => ({
      status: 200,
      body: await operations.ruleForm(caller, key, query),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/sources/{key}/rule/preview',
    tag,
    summary: 'What an issue would say, without making it',
    params,
    body: issuePreviewRequest,
    answers: { 200: { description: 'The issue', schema: issuePreview } },
    handle: async ({ operations, caller, params: { key }, body }) => ({
      status: 200,
      body: await operations.previewIssue(caller, key, body),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/sources/{key}/reports',
    tag,
    summary: 'Takes in a report file of a scanner or a test run, raw, whatever its content type',
    params,
    query: reportQuery,
    headers: reportHeaders,
    raw: true,
    answers: {
      200: { description: 'The same Idempotency-Key (or file) again: the same answer', schema: reportView },
      201: { description: 'Taken in', schema: reportView },
      409: { description: 'The Idempotency-Key was used with another body' },
      413: { description: 'The file is larger than the limit' },
      415: { description: 'An encoding that is not supported' },
    },
    handle: async ({ operations, caller, params: { key }, query, headers, req }) => {
      const { repeated, report } = await operations.ingestReport(caller, key, reportUpload(req, query, headers));
      return { status: repeated ? 200 : 201, body: report };
    },
  }),
];
