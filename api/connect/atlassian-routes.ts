// OAuth 2.0 (3LO): to Atlassian's consent page, and back with a grant. The state is a one-time link of the session
// that asked, so that nobody can have somebody else finish what they began.
// https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/

import { z } from 'zod';
import type { JiraCredentials } from '../operations/connecting';
import type { Check } from '../operations/connection-types';
import { Refusal } from '../operations/refusal';
import type { Pages } from './pages';
import { showList } from './setup-routes';
import { goOn, isJiraError, type Visit } from './visit';

const STATE_MS = 10 * 60_000;
const state = z.object({ sessionId: z.string(), reconnect: z.string().nullable() });

/** Adds the start of the consent and its callback. */
export function addAtlassianRoutes(pages: Pages): void {
  const { connecting, db, baseUrl } = pages;
  const redirectUri = `${baseUrl}/connect/atlassian/callback`;

  pages.post('/atlassian', async ({ res, session, text }) => {
    const { organisationId, memberId } = session.caller;
    const consent = connecting.consent(session.caller);
    const reconnect = text('reconnect') || null;
    const payload: z.infer<typeof state> = { sessionId: session.id, reconnect };
    const input = { memberId, kind: 'atlassian_state' as const, ttlMs: STATE_MS, payload };
    const { token } = await db.oneTimeLinks.create(organisationId, input);
    goOn(res, consent.authorizeUrl({ state: token, redirectUri }));
  });

  pages.get('/atlassian', ({ res }) => goOn(res, '/connect'));

  pages.get('/atlassian/callback', async (visit) => {
    const { session, text } = visit;
    const { reconnect } = await takeState(pages, visit);
    const pressed = reconnect ? 'Reconnect with Atlassian' : 'Connect with Atlassian';
    const failed = (trouble: string) =>
      reconnect ? backToReconnect(pages, visit, { id: reconnect, trouble }) : showList(pages, visit, { trouble });
    if (text('error')) return failed(declined(text('error'), pressed));
    const code = text('code');
    if (!code) return failed(`Atlassian sent no code. Press "${pressed}" again.`);
    const consent = connecting.consent(session.caller);
    const granted = async () => {
      const { scopes, ...grant } = await consent.exchange({ code, redirectUri });
      return { scopes, grant, sites: await consent.sites(grant.accessToken) };
    };
    if (reconnect) return reconnectWith(pages, visit, { id: reconnect, granted });
    const { scopes, grant, sites } = await granted();
    const [site] = sites;
    if (!site) return showList(pages, visit, { trouble: NO_SITE });
    const credentials: JiraCredentials | null =
      sites.length === 1 ? { kind: 'oauth', siteUrl: site.url, cloudId: site.cloudId, grant, scopes } : null;
    const id = await pages.sessions.addSetup(session, {
      credentials,
      grant: credentials
        ? null
        : { grant, scopes, sites: sites.map(({ cloudId, name, url }) => ({ cloudId, name, url })) },
      ...(credentials ? { siteName: site.name } : {}),
      typed: { projectKey: '', autoSync: false, adoptFrom: null },
      checks: [],
    });
    goOn(visit.res, `/connect/setup/${id}`);
  });
}

const NO_SITE =
  'The grant covers no Jira site. Choose a Jira site on Atlassian\'s consent page, or have your account given access to one, and press "Connect with Atlassian" again.';

/** The state that the session itself asked with; each works once. */
async function takeState({ db }: Pages, { session, text }: Visit): Promise<z.infer<typeof state>> {
  const used = await db.oneTimeLinks.use({ kind: 'atlassian_state', token: text('state') });
  const payload = used.outcome === 'ok' ? state.safeParse(used.link.payload).data : undefined;
  const isOwn = used.outcome === 'ok' && used.link.memberId === session.caller.memberId;
  if (payload && isOwn && payload.sessionId === session.id) return payload;
  const cause =
    used.outcome === 'used' || used.outcome === 'expired'
      ? 'This answer of Atlassian was taken before, or came too late.'
      : 'This answer of Atlassian was not asked for in your session.';
  throw new Refusal('invalid', 'wrong_state', `${cause} Nothing was connected. Press "Connect with Atlassian" again.`);
}

/** What Atlassian says instead of a code. Its own description is left out: anybody can write one into an address. */
function declined(error: string, pressed: string): string {
  if (error === 'access_denied') {
    return `Atlassian did not grant access: the consent was declined, or the account has no access to the app. Press "${pressed}" again and accept.`;
  }
  const word = /^[a-z_]{1,40}$/.test(error) ? error : 'an unknown error';
  return `Atlassian answered ${word} instead of a grant. Check client id, callback URL and scopes of the OAuth app in the Atlassian developer console, then try again.`;
}

type Granted = {
  grant: { accessToken: string; refreshToken: string; expiresAt: number };
  scopes: string[];
  sites: { cloudId: string; url: string }[];
};

/** The same connection gets the new grant, where it covers the connection's site. */
async function reconnectWith(
  pages: Pages,
  visit: Visit,
  asked: { id: string; granted(): Promise<Granted> },
): Promise<void> {
  const { connecting, sessions } = pages;
  const { session } = visit;
  const { id } = asked;
  const { siteUrl, cloudId } = await connecting.siteOf(session.caller, id);
  const granted = await asked.granted().catch((error: unknown) => {
    if (isJiraError(error)) return error;
    throw error;
  });
  if (granted instanceof Error) return backToReconnect(pages, visit, { id, trouble: granted.message });
  const { grant, scopes, sites } = granted;
  const site = sites.find((each) => each.cloudId === cloudId);
  if (!site) {
    const trouble = `The grant does not cover ${siteUrl}. Reconnect again, with an account that sees that site, and choose it where Atlassian lets you choose.`;
    return backToReconnect(pages, visit, { id, trouble });
  }
  const credentials = { kind: 'oauth' as const, siteUrl, cloudId: site.cloudId, grant, scopes };
  const renewed = await connecting.renewById(session.caller, id, credentials);
  if (!renewed.ok) {
    const trouble = `${siteUrl} was not reconnected.`;
    return backToReconnect(pages, visit, { id, trouble, checks: renewed.checks });
  }
  await sessions.forgetTest(session, id);
  goOn(visit.res, `/connect/connections/${id}?done=reconnected`);
}

/** Back to where the consent was asked for, which says what went wrong. */
async function backToReconnect(
  { sessions }: Pages,
  { res, session }: Visit,
  { id, trouble, checks = [] }: { id: string; trouble: string; checks?: Check[] },
): Promise<void> {
  await sessions.addTrouble(session, id, { message: trouble, checks });
  goOn(res, `/connect/connections/${encodeURIComponent(id)}/reconnect`);
}
