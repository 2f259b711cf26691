import { isAllowed, type Operation } from '../../workflows/rules/permissions';
import { Refusal, type Said } from './refusal';
import type { Caller, PageInput } from './types';

/** Refuses what the caller's role, or the scopes of their API key, do not allow. Called first by every operation. */
export function demand(caller: Caller, operation: Operation): void {
  if (!isAllowed(caller.role, operation)) {
    throw new Refusal(
      'forbidden',
      'forbidden',
      `This needs the role admin or owner; you are ${caller.role}. Ask an admin of your organisation.`,
    );
  }
  if (caller.scopes && !caller.scopes.includes('*') && !caller.scopes.includes(operation)) {
    throw new Refusal(
      'forbidden',
      'scope_missing',
      `This API key lacks the scope "${operation}". Use a key that has it.`,
    );
  }
}

/** `F-12` -> 12. Refuses anything else. */
export function findingNumber(id: string): number {
  const match = /^F-([1-9]\d{0,8})$/i.exec(id.trim());
  if (!match) {
    throw new Refusal(
      'invalid',
      'invalid_finding',
      `"${id}" does not name a finding. Use its short number, such as F-12.`,
    );
  }
  return Number(match[1]);
}

/** 12 -> `F-12`. */
export function findingName(number: number): string {
  return `F-${number}`;
}

const defaultLimit = 50;
const maxLimit = 200;

/** The size of a page, and the key after which it starts. Refuses a cursor that no list gave. */
export function pageOf(page: PageInput | undefined): { limit: number; after: string | undefined } {
  const limit = Math.min(Math.max(page?.limit ?? defaultLimit, 1), maxLimit);
  if (!page?.cursor) return { limit, after: undefined };
  const after = Buffer.from(page.cursor, 'base64url').toString('utf8');
  if (!after.startsWith('k:') || after.includes('\0')) throw badCursor();
  return { limit, after: after.slice(2) };
}

/** The same for lists in the order of ids. */
export function idPageOf(page: PageInput | undefined): { limit: number; after: string | undefined } {
  const { limit, after } = pageOf(page);
  if (after !== undefined && !isUuid(after)) throw badCursor();
  return { limit, after };
}

/** The same for lists in the order of numbers. */
export function numberPageOf(page: PageInput | undefined): { limit: number; after: number } {
  const { limit, after } = pageOf(page);
  if (after === undefined) return { limit, after: 0 };
  if (!/^\d{1,10}$/.test(after) || Number(after) > maxNumber) throw badCursor();
  return { limit, after: Number(after) };
}

/** PostgreSQL's integer. */
const maxNumber = 2_147_483_647;

/** A page from `limit + 1` rows: the row too many says that there is more. */
export function toPage<R, T>(rows: R[], limit: number, keyOf: (row: R) => string | number, view: (row: R) => T) {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    items: shown.map(view),
    nextCursor: more ? Buffer.from(`k:${keyOf(last)}`).toString('base64url') : null,
  };
}

/** The value, or a refusal that says what is not there. */
export function orNotFound<T>(value: T | null | undefined, what: string, cure: Said): T {
  if (value !== null && value !== undefined) return value;
  const { http, slack } = typeof cure === 'string' ? { http: cure, slack: cure } : cure;
  const missing = `${what} is not there.`;
  throw new Refusal('not_found', 'not_found', { http: `${missing} ${http}`, slack: `${missing} ${slack}` });
}

/** Where to look for the connection that is meant. */
export const connectionCure: Said = {
  http: 'GET /api/v1/connections lists them.',
  slack: '`/recheck connect` shows them.',
};

/** Refuses what is not a UUID, before the database would. */
export function uuid(id: string, what: string): string {
  if (isUuid(id)) return id.toLowerCase();
  throw new Refusal('not_found', 'not_found', `${what} ${id.slice(0, 60)} is not there. Check the id.`);
}

/** Whether a text is a UUID, which the database would otherwise refuse. */
export function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
}

function badCursor(): Refusal {
  return new Refusal(
    'invalid',
    'invalid_cursor',
    'The cursor is not one that a list answered. Leave it out to start over.',
  );
}
