// A person's session on the connect page: opened by a single-use link, bound to one member, whose rights are looked up
// again at each request. What has to wait between two pages (a grant, say) is sealed in the session's own row.

import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Db } from '../../prisma/client';
import { isAllowed } from '../../workflows/rules/permissions';
import type { Caller } from '../operations/types';

const check = z.object({
  name: z.string(),
  ok: z.boolean(),
  cause: z.exactOptional(z.string()),
  cure: z.exactOptional(z.string()),
  note: z.exactOptional(z.string()),
});
const grant = z.object({ accessToken: z.string(), refreshToken: z.string(), expiresAt: z.number() });
const credentials = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('api_token'), siteUrl: z.string(), email: z.string(), apiToken: z.string() }),
  z.object({
    kind: z.literal('oauth'),
    siteUrl: z.string(),
    cloudId: z.string(),
    grant,
    scopes: z.array(z.string()),
  }),
]);
const setup = z.object({
  id: z.string(),
  /** Known credentials, or a grant whose site has to be chosen first. */
  credentials: credentials.nullable(),
  grant: z
    .object({
      grant,
      scopes: z.array(z.string()),
      sites: z.array(z.object({ cloudId: z.string(), name: z.string(), url: z.string() })),
    })
    .nullable(),
  /** What Atlassian calls the site of a grant. */
  siteName: z.exactOptional(z.string()),
  typed: z.object({ projectKey: z.string(), autoSync: z.boolean(), adoptFrom: z.array(z.string()).nullable() }),
  /** What the last attempt to save came to. */
  checks: z.array(check),
});
const state = z.object({
  /** When the session is over however much it is used, in milliseconds since 1970. */
  endsAt: z.number().default(0),
  setups: z.array(setup),
  /** The last test of each connection. */
  tests: z.record(z.string(), z.object({ at: z.string(), checks: z.array(check) })),
  /** Webhook secrets that were not shown yet, by connection. */
  secrets: z.record(z.string(), z.string()),
  /** Why the last consent did not reconnect a connection, until its page has said so. */
  troubles: z.record(z.string(), z.object({ message: z.string(), checks: z.array(check) })).default({}),
});

export type Setup = z.infer<typeof setup>;
export type SessionState = z.infer<typeof state>;
export type ReconnectTrouble = SessionState['troubles'][string];
export type ConnectSession = { id: string; caller: Caller; csrf: string; state: SessionState };
export type OpenedLink = { outcome: 'ok'; cookie: string } | { outcome: 'unknown' | 'used' | 'expired' | 'forbidden' };

/** A session ends this long after its last use, in milliseconds. */
export const SESSION_MS = 30 * 60_000;
/** And this long after it was opened in any case. */
export const MAX_SESSION_MS = 8 * 3_600_000;
const MAX_SETUPS = 5;
const nothing: SessionState = { endsAt: 0, setups: [], tests: {}, secrets: {}, troubles: {} };

export type ConnectSessions = ReturnType<typeof createConnectSessions>;

type SessionDeps = { db: Pick<Db, 'members' | 'oneTimeLinks'>; now?: (() => number) | undefined };

/** Sessions of the connect page over the store of one-time links. */
export function createConnectSessions({ db, now = Date.now }: SessionDeps) {
  const links = db.oneTimeLinks;

  async function callerOf(link: { organisationId: string; memberId: string }): Promise<Caller | null> {
    const { organisationId, memberId } = link;
    const member = await db.members.find(organisationId, memberId);
    if (!member || !isAllowed(member.role, 'connect')) return null;
    return { organisationId, memberId, name: member.name, role: member.role, via: 'http', scopes: null };
  }

  return {
    /** Uses a link up and answers the cookie of the session that it opens. */
    async open(token: string): Promise<OpenedLink> {
      const used = await links.use({ kind: 'connect', token });
      if (used.outcome !== 'ok') return used;
      if (!(await callerOf(used.link))) return { outcome: 'forbidden' };
      const { organisationId, memberId } = used.link;
      const payload: SessionState = { ...nothing, endsAt: now() + MAX_SESSION_MS };
      const input = { memberId, kind: 'connect_session' as const, ttlMs: SESSION_MS, payload };
      return { outcome: 'ok', cookie: (await links.create(organisationId, input)).token };
    },

    /**
     * The session behind a cookie, which this use of it prolongs; null where it is over, or its member may not connect
     * any more.
     */
    async find(cookie: string): Promise<ConnectSession | null> {
      const link = await links.find({ kind: 'connect_session', token: cookie });
      const caller = link && (await callerOf(link));
      if (!caller) return null;
      const kept = stateOf(link.payload);
      await links.prolong(link.id, { ttlMs: SESSION_MS, endsAt: new Date(kept.endsAt) });
      return { id: link.id, caller, csrf: csrfOf(cookie), state: kept };
    },

    /** Changes what the session keeps. */
    async change(session: ConnectSession, change: (kept: SessionState) => SessionState): Promise<void> {
      await links.changePayload(session.id, (payload) => change(stateOf(payload)));
    },

    /** Keeps credentials until a project is chosen, and answers the id of the step. The oldest of too many are dropped. */
    async addSetup(session: ConnectSession, given: Omit<Setup, 'id'>): Promise<string> {
      const id = randomUUID();
      await this.change(session, (kept) => ({
        ...kept,
        setups: [...kept.setups, { id, ...given }].slice(-MAX_SETUPS),
      }));
      return id;
    },

    async changeSetup(session: ConnectSession, id: string, change: Partial<Setup> | null): Promise<void> {
      await this.change(session, (kept) => ({
        ...kept,
        setups: kept.setups.flatMap((each) => {
          if (each.id !== id) return [each];
          return change ? [{ ...each, ...change }] : [];
        }),
      }));
    },

    /** The webhook secret of a new connection, once; null from then on. */
    async takeSecret(session: ConnectSession, connectionId: string): Promise<string | null> {
      let taken: string | null = null;
      await this.change(session, (kept) => {
        const { [connectionId]: secret, ...secrets } = kept.secrets;
        taken = secret ?? null;
        return { ...kept, secrets };
      });
      return taken;
    },

    /** Keeps why a connection was not reconnected. */
    async addTrouble(session: ConnectSession, connectionId: string, trouble: ReconnectTrouble): Promise<void> {
      await this.change(session, (kept) => ({ ...kept, troubles: { ...kept.troubles, [connectionId]: trouble } }));
    },

    /** Why the last consent did not reconnect a connection, once; null from then on. */
    async takeTrouble(session: ConnectSession, connectionId: string): Promise<ReconnectTrouble | null> {
      const trouble = session.state.troubles[connectionId];
      if (!trouble) return null;
      await this.change(session, (kept) => {
        const { [connectionId]: _said, ...troubles } = kept.troubles;
        return { ...kept, troubles };
      });
      return trouble;
    },

    /** After new credentials the last test says nothing any more. */
    async forgetTest(session: ConnectSession, connectionId: string): Promise<void> {
      await this.change(session, (kept) => {
        const { [connectionId]: _old, ...tests } = kept.tests;
        return { ...kept, tests };
      });
    },

    end: (session: ConnectSession) => links.end(session.id),
  };
}

function stateOf(payload: unknown): SessionState {
  return state.safeParse(payload).data ?? nothing;
}

/** The token that forms carry: known to pages of this session alone, and the cookie cannot be told from it. */
function csrfOf(cookie: string): string {
  return createHmac('sha256', cookie).update('connect csrf').digest('base64url');
}

/** Compares in constant time. */
export function isCsrfToken(session: ConnectSession, given: unknown): boolean {
  if (typeof given !== 'string') return false;
  const [one, other] = [Buffer.from(given), Buffer.from(session.csrf)];
  return one.length === other.length && timingSafeEqual(one, other);
}
