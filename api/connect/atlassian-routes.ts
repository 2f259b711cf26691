// OAuth 2.0 (3LO): to Atlassian's consent page, and back with a grant. The state is a one-time link of the session
// that asked, so that nobody can have somebody else finish what they began.
// https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/

import { z } from 'zod';
import type { JiraCredentials } from '../operations/connecting';
import { Refusal } from '../operations/refusal';
import type { Pages } from './pages';
import { showList } from './setup-routes';
import { goOn, type Visit } from './visit';

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

  pages.get('/atlassian/callback', async (visit) => {
    const { session, text } = visit;
    const { reconnect } = await takeState(pages, visit);
    if (text('error')) return showList(pages, visit, { trouble: declined(text('error')) });
    const code = text('code');
    if (!code)
      return showList(pages, visit, { trouble: 'Atlassian sent no code. Press "Connect with Atlassian" again.' });
    const consent = connecting.consent(session.caller);
    const { scopes, ...grant } = await consent.exchange({ code, redirectUri });
    const sites = await consent.sites(grant.accessToken);
    if (reconnect) return reconnectWith(pages, visit, { reconnect, grant, scopes, sites });
    const [site] = sites;
    if (!site) return showList(pages, visit, { trouble: NO_SITE });
    const credentials: JiraCredentials | null =
      sites.length === 1 ? { kind: 'oauth', siteUrl: site.url, cloudId: site.cloudId, grant, scopes } : null;
    const id = await pages.sessions.addSetup(session, {
      credentials,
      grant: credentials
        ? null
        : { grant, scopes, sites: sites.map(({ cloudId, name, url }) => ({ cloudId, name, url })) },
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
function declined(error: string): string {
  if (error === 'access_denied') {
    return 'Atlassian did not grant access: the consent was declined, or the account has no access to the app. Press "Connect with Atlassian" again and accept.';
  }
  const word = /^[a-z_]{1,40}$/.test(error) ? error : 'an unknown error';
  return `Atlassian answered ${word} instead of a grant. Check client id, callback URL and scopes of the OAuth app in the Atlassian developer console, then try again.`;
}

type Granted = {
  reconnect: string;
  grant: { accessToken: string; refreshToken: string; expiresAt: number };
  scopes: string[];
  sites: { cloudId: string; url: string }[];
};

/** The same connection gets the new grant, where it covers the connection's site. */
async function reconnectWith(pages: Pages, visit: Visit, granted: Granted): Promise<void> {
  const { connecting } = pages;
  const { caller } = visit.session;
  const { grant, scopes, sites } = granted;
  const id = granted.reconnect;
  const { siteUrl, cloudId } = await connecting.siteOf(caller, id);
  const site = sites.find((each) => each.cloudId === cloudId);
  if (!site) {
    const trouble = `The grant does not cover ${siteUrl}. Press Reconnect again and choose that site on Atlassian's consent page.`;
    return showList(pages, visit, { trouble });
  }
  const credentials = { kind: 'oauth' as const, siteUrl, cloudId: site.cloudId, grant, scopes };
  const renewed = await connecting.renewById(caller, id, credentials);
  if (!renewed.ok) {
    const trouble = `${siteUrl} was not reconnected.`;
    return showList(pages, visit, { trouble, checks: renewed.checks });
  }
  goOn(visit.res, `/connect/connections/${id}?done=reconnected`);
}
