// Forms with a report and pictures, as CI jobs send them.
import { createHash, randomUUID } from 'node:crypto';
import type { Stack } from '../support/stack';
import type { Answer } from '../support/stack-clients';
import { must } from '../support/stack-clients';
import { until } from '../support/until';

export type File = { field: string; filename: string; bytes: Uint8Array; type?: string };
export type JiraAttachment = { filename: string; size: number; mimeType: string; content: string };

/** Starts as a PNG does; another text makes another picture. */
export function png(text: string, size = 200): Buffer {
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from(text), Buffer.alloc(size)]).subarray(
    0,
    size,
  );
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** An axe report of one page that breaks these rules. */
export function axe(url: string, rules: string[]): string {
  const node = { html: '<i></i>', target: ['i'], any: [], all: [], none: [] };
  const violations = rules.map((id) => ({ id, impact: 'serious', help: id, description: id, tags: [], nodes: [node] }));
  const rest = { passes: [], incomplete: [], inapplicable: [] };
  return JSON.stringify({ testEngine: { name: 'axe-core', version: '4.10.0' }, url, violations, ...rest });
}

export const report = (text: string): File => ({ field: 'report', filename: 'report', bytes: Buffer.from(text) });
export const picture = (field: string, bytes: Uint8Array, filename = 'cart.png'): File => ({ field, filename, bytes });

/** The body of a form, written by hand so that it can be broken. */
export function formBody(files: readonly File[], boundary: string): Buffer {
  const parts = files.flatMap(({ field, filename, bytes, type }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${filename}"\r\n`,
    `Content-Type: ${type ?? 'application/octet-stream'}\r\n\r\n`,
    bytes,
    '\r\n',
  ]);
  return Buffer.concat([...parts, `--${boundary}--\r\n`].map((part) => Buffer.from(part)));
}

/** The steps with pictures on one stack. */
export function createPictureSteps(stack: Stack) {
  const { api, jira, db, temporal } = stack;

  /** Sends a body as it is, with the content type of a form. */
  const sendRaw = (to: string, body: Uint8Array, headers: Record<string, string>): Promise<Answer> =>
    api('POST', `/api/v1/sources/${to}/reports`, body, { 'idempotency-key': randomUUID(), ...headers });

  const send = (to: string, files: readonly File[]): Promise<Answer> => {
    const boundary = `recheck-${randomUUID()}`;
    return sendRaw(to, formBody(files, boundary), { 'content-type': `multipart/form-data; boundary=${boundary}` });
  };

  async function attachments(issueKey: string): Promise<JiraAttachment[]> {
    const { fields } = await must(jira('GET', `/rest/api/3/issue/${issueKey}?fields=attachment`));
    return fields.attachment;
  }

  /** Waits until the pictures of a finding have nothing under way; what is not attached by then never is. */
  async function settled(id: string): Promise<void> {
    const { rows } = await db.query<{ id: string }>('select id from finding where number = $1', [Number(id.slice(2))]);
    const handle = temporal.workflow.getHandle(`evidence:${rows[0]?.id}`);
    await until(async () => (await handle.describe()).status.name === 'COMPLETED', {
      seconds: 90,
      what: `the pictures of ${id} coming to rest`,
    });
  }

  /** How many rows there are of everything that an upload may store. */
  async function stored(): Promise<string> {
    const tables = ['report', 'finding', 'occurrence', 'evidence', 'finding_evidence', 'audit_event'];
    const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`);
    const { rows } = await db.query(`select ${counts.join(', ')}`);
    return JSON.stringify(rows[0]);
  }

  return { send, sendRaw, attachments, settled, stored };
}
