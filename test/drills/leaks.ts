// Where a secret could come to light, as text, and the shapes in which it could.

import type { Pool } from 'pg';
import type { Stack } from '../support/stack';
import { must } from '../support/stack-clients';

/** Texts by the name of the place. */
export type Places = { [place: string]: string };

/** A secret as it is, and as it looks in JSON, in an address, in hex and inside base64, wherever it begins there. */
export function shapesOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inside = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // What shares a character with bytes before or after the secret depends on them.
    return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const json = JSON.stringify(secret).slice(1, -1);
  const plain = [secret, json, JSON.stringify(json).slice(1, -1), encodeURIComponent(secret), bytes.toString('hex')];
  const url = inside.map((each) => each.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([...plain, ...inside, ...url])];
}

/** The places that show a secret in any shape. */
export function leaksOf(secret: string, places: Places): string[] {
  const shapes = shapesOf(secret);
  return Object.entries(places).flatMap(([place, text]) =>
    shapes.some((shape) => text.includes(shape)) ? [place] : [],
  );
}

/** Every row of every table, all columns as text, and bytes once more as what they spell. */
export async function dumpDatabase(pool: Pool): Promise<Places> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  );
  const places: Places = {};
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} t`);
    places[`table ${name}`] = rows.map(({ row }) => `${row}\n${spelledOut(row)}`).join('\n');
  }
  return places;
}

function spelledOut(text: string): string {
  const found = text.match(/\\x[0-9a-f]{2,}/g) ?? [];
  return found.map((hex) => Buffer.from(hex.slice(2), 'hex').toString('latin1')).join('\n');
}

/** The histories of all workflows, with what is pending in them and their schedules; payloads are decoded. */
export async function dumpHistories({ temporal }: Stack): Promise<Places> {
  const places: Places = {};
  for await (const { workflowId, runId } of temporal.workflow.list()) {
    const handle = temporal.workflow.getHandle(workflowId, runId);
    const [history, described] = await Promise.all([handle.fetchHistory(), handle.describe()]);
    places[`workflow ${workflowId} ${runId}`] = `${textOf(history)}\n${textOf(described.raw)}`;
  }
  for await (const { scheduleId } of temporal.schedule.list()) {
    places[`schedule ${scheduleId}`] = textOf((await temporal.schedule.getHandle(scheduleId).describe()).raw);
  }
  return places;
}

function textOf(value: unknown): string {
  return JSON.stringify(value, function replace(this: unknown, key, given: unknown) {
    // A Buffer has turned itself into numbers before it comes here.
    const original = (this as Record<string, unknown>)[key];
    return original instanceof Uint8Array ? Buffer.from(original).toString('latin1') : given;
  });
}

/** All that anybody in the workspace sees: messages, threads, ephemerals, modals and Home. */
export async function dumpSlack({ slack, local }: Stack): Promise<Places> {
  const places: Places = {};
  for (const { slackUserId } of local.members) {
    places[`Slack of ${slackUserId}`] = JSON.stringify(await must(slack('GET', `/state?user=${slackUserId}`)));
  }
  return places;
}
