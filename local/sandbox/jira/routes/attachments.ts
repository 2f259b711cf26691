import { mustBeAllowed, mustSeeIssue } from '../access';
import { addAttachments } from '../additions';
import { type Answer, type Call, isObject, JiraProblem, objectBody, ok } from '../answer';
import { attachmentBean, issueSelf } from '../issue-beans';
import { attachmentsOf, propertiesOf } from '../issue-rows';
import type { Jira } from '../jira';
import { visibleProjects } from '../site';
import { checkProperty } from './issues';

/** The largest file that the site takes, in bytes. */
export const uploadLimit = 10 * 1024 * 1024;
const mostFiles = 60;

/** GET /attachment/meta. */
export function getAttachmentMeta(): Answer {
  return ok({ enabled: true, uploadLimit });
}

/** POST /issue/{issueIdOrKey}/attachments: parts named `file`, header `X-Atlassian-Token: no-check`. */
export async function postAttachments(jira: Jira, call: Call): Promise<Answer> {
  if (call.req.get('x-atlassian-token') !== 'no-check') {
    return { status: 403, raw: 'XSRF check failed', headers: { 'content-type': 'text/html' } };
  }
  const { account, issue } = await mustBeAllowed(jira, call, 'CREATE_ATTACHMENTS');
  const files = await filesOf(call);
  if (files.length > mostFiles) {
    throw new JiraProblem(413, { messages: [`At most ${mostFiles} files can be attached at once.`] });
  }
  if (files.some(({ bytes }) => bytes.length > uploadLimit)) {
    throw new JiraProblem(413, { messages: [`A file exceeds its maximum permitted size of ${uploadLimit} bytes.`] });
  }
  const ids = await addAttachments(jira, { actor: account, issueId: issue.id, files });
  const stored = (await attachmentsOf(jira.site.pool, [issue.id])).filter(({ id }) => ids.includes(id));
  return ok(stored.map((attachment) => attachmentBean(jira.site, attachment)));
}

async function filesOf(call: Call): Promise<{ filename: string; mimeType: string; bytes: Buffer }[]> {
  const type = call.req.get('content-type') ?? '';
  if (!Buffer.isBuffer(call.body) || !type.startsWith('multipart/form-data')) {
    throw new JiraProblem(415, { messages: ['Attachments are sent as multipart/form-data.'] });
  }
  const form = await new Response(new Uint8Array(call.body), { headers: { 'content-type': type } })
    .formData()
    .catch(() => new FormData());
  const files = form.getAll('file').filter((part) => typeof part !== 'string');
  if (files.length === 0) throw new JiraProblem(400, { messages: ["There is no part named 'file' in the request."] });
  return Promise.all(
    files.map(async (file) => ({
      filename: file.name,
      mimeType: file.type || 'application/octet-stream',
      bytes: Buffer.from(await file.arrayBuffer()),
    })),
  );
}

/** GET /attachment/content/{id}: the bytes. */
export async function getAttachmentContent(jira: Jira, call: Call): Promise<Answer> {
  const { rows } = await jira.site.pool.query<{ mime_type: string; bytes: Buffer; project_id: string }>(
    `select a.mime_type, a.bytes, i.project_id from jira.attachments a join jira.issues i on i.id = a.issue_id
     where a.id::text = $1`,
    [call.params.id],
  );
  const [file] = rows;
  if (!file || !visibleProjects(jira.site, call.account).some(({ id }) => id === file.project_id)) {
    throw new JiraProblem(404, { messages: [`The attachment with id '${call.params.id}' does not exist`] });
  }
  return { status: 200, raw: file.bytes, headers: { 'content-type': file.mime_type } };
}

/** GET /issue/{issueIdOrKey}/properties/{propertyKey}. */
export async function getProperty(jira: Jira, call: Call): Promise<Answer> {
  const issue = await mustSeeIssue(jira, call);
  const key = call.params.propertyKey ?? '';
  const [property] = await propertiesOf(jira.site.pool, { issueIds: [issue.id], keys: [key] });
  if (property) return ok({ key: property.key, value: property.value });
  throw new JiraProblem(404, { messages: [`The property with key '${key}' does not exist.`] });
}

/** PUT /issue/{issueIdOrKey}/properties/{propertyKey}: 201 for a new one, 200 for a replaced one, both without body. */
export async function putProperty(jira: Jira, call: Call): Promise<Answer> {
  const { issue } = await mustBeAllowed(jira, call, 'EDIT_ISSUES');
  if (call.body === undefined) throw new JiraProblem(400, { messages: ['The property value must be valid JSON.'] });
  const { key, value } = checkProperty({ key: call.params.propertyKey ?? '', value: call.body });
  const { rows } = await jira.site.pool.query<{ isNew: boolean }>(
    `insert into jira.properties (issue_id, key, value) values ($1, $2, $3)
     on conflict (issue_id, key) do update set value = excluded.value returning xmax = 0 as "isNew"`,
    [issue.id, key, JSON.stringify(value)],
  );
  return { status: rows[0]?.isNew ? 201 : 200 };
}

/** POST /issue/{issueIdOrKey}/remotelink: by `globalId` an upsert, where what is left out becomes null. */
export async function postRemoteLink(jira: Jira, call: Call): Promise<Answer> {
  const { issue } = await mustBeAllowed(jira, call, 'LINK_ISSUES');
  const body = objectBody(call);
  const object = isObject(body.object) ? body.object : {};
  const errors: Record<string, string> = {};
  if (typeof object.title !== 'string') errors.title = "'title' is required.";
  if (typeof object.url !== 'string') errors.url = "'url' is required.";
  if (typeof body.globalId === 'string' && body.globalId.length > 255) errors.globalId = 'globalId is too long.';
  if (Object.keys(errors).length > 0) throw new JiraProblem(400, { fields: errors });
  const { rows } = await jira.site.pool.query<{ id: string; isNew: boolean }>(
    `insert into jira.remote_links (issue_id, global_id, link) values ($1, coalesce($2, gen_random_uuid()::text), $3)
     on conflict (issue_id, global_id) do update set link = excluded.link returning id, xmax = 0 as "isNew"`,
    [issue.id, body.globalId ?? null, JSON.stringify(body)],
  );
  const id = Number(rows[0]?.id);
  const self = `${issueSelf(jira.site, issue.id)}/remotelink/${id}`;
  return { status: rows[0]?.isNew ? 201 : 200, body: { id, self } };
}
