import { type Request, Router, urlencoded } from 'express';
import { z } from 'zod';
import { type Answer, type Call, isObject, ok } from '../answer';
import { type Access, gatewayProblem } from '../auth';
import { avatarUrls } from '../beans';
import type { Jira } from '../jira';
import { type AuthorizationRequest, consentPage, refusalPage } from '../oauth/consent-page';
import { accessSeconds, type TokenPair } from '../oauth/grants';
import { knownScopes } from '../oauth/scopes';
import { restRoute } from '../rest';
import { seededAccount } from '../site';

// The authorization server: OAuth 2.0 with three legs, as auth.atlassian.com and api.atlassian.com do it.

/** The calls of the app itself: tokens, and the sites that a token is good for. They can be made to fail like any other. */
export function createTokenRouter(jiras: readonly Jira[], onError: (error: unknown) => void): Router {
  const router = Router();
  const [jira] = jiras;
  if (!jira) return router;
  const nobody: Access = () => ({ account: null, failed: false });
  const options = { jira, onError, access: nobody, scopes: [] };
  router.use('/oauth/token', urlencoded({ extended: false }));
  router.post(
    '/oauth/token',
    restRoute(options, (call) => issueToken(jira, call)),
  );
  router.get(
    '/oauth/token/accessible-resources',
    restRoute(options, (call) => accessibleResources(jiras, call)),
  );
  return router;
}

async function issueToken({ oauth }: Jira, call: Call): Promise<Answer> {
  const body = isObject(call.body) ? call.body : {};
  const given = (name: string) => (typeof body[name] === 'string' ? body[name] : '');
  if (!oauth.isClient({ clientId: body.client_id, clientSecret: body.client_secret })) {
    return refused(401, { error: 'access_denied', error_description: 'Unauthorized' });
  }
  switch (body.grant_type) {
    case 'authorization_code': {
      const pair = await oauth.grants.exchange({ code: given('code'), redirectUri: given('redirect_uri') });
      return pair ? tokenAnswer(pair) : invalidGrant('Invalid authorization code');
    }
    case 'refresh_token': {
      const pair = await oauth.grants.refresh(given('refresh_token'));
      return pair ? tokenAnswer(pair) : invalidGrant('Unknown or invalid refresh token.');
    }
    default:
      return refused(400, { error: 'unsupported_grant_type', error_description: 'Unsupported grant type.' });
  }
}

function tokenAnswer({ accessToken, refreshToken, scopes }: TokenPair): Answer {
  return ok({
    access_token: accessToken,
    ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
    expires_in: accessSeconds,
    token_type: 'Bearer',
    scope: scopes.join(' '),
  });
}

function invalidGrant(description: string): Answer {
  return refused(403, { error: 'invalid_grant', error_description: description });
}

function refused(status: number, body: { error: string; error_description: string }): Answer {
  return { status, body };
}

async function accessibleResources(jiras: readonly Jira[], call: Call): Promise<Answer> {
  const [first] = jiras;
  const [scheme = '', token = ''] = (call.req.get('authorization') ?? '').split(' ');
  const grant = scheme.toLowerCase() === 'bearer' ? await first?.oauth.grants.grantOf(token) : null;
  if (!grant) return gatewayProblem(401, 'Unauthorized');
  const scopes = grant.scopes.filter((scope) => scope !== 'offline_access');
  return ok(
    reachable(jiras)
      .filter(({ site }) => grant.cloudIds.includes(site.cloudId))
      .map(({ site: { cloudId, name, url } }) => {
        const avatarUrl = avatarUrls(`${url}/secure/useravatar/${name}`)['48x48'];
        return { id: cloudId, name, url, scopes, avatarUrl };
      }),
  );
}

function reachable(jiras: readonly Jira[]): Jira[] {
  return jiras.filter(({ oauth }, index) => index < oauth.siteCount());
}

const parameters = z.object({
  audience: z.literal('api.atlassian.com'),
  client_id: z.string(),
  scope: z.string().min(1),
  redirect_uri: z.url({ protocol: /^https?$/ }),
  state: z.string().min(1),
  response_type: z.literal('code'),
  prompt: z.literal('consent'),
});

/** The consent page. It acts for the bot's account without a login, so it is mounted behind `refuseOtherSites`. */
export function createConsentRouter(jiras: readonly Jira[]): Router {
  const router = Router();
  const [jira] = jiras;
  if (!jira) return router;
  const account = seededAccount(jira.site, 'bot');
  router.get('/authorize', (req, res) => {
    const asked = readRequest(jira, queryOf(req));
    res.type('html');
    if (typeof asked === 'string') res.status(400).send(refusalPage(asked));
    else res.send(consentPage(asked, { account, sites: reachable(jiras).map(({ site }) => site) }));
  });
  router.post('/authorize', urlencoded({ extended: false }), async (req, res) => {
    const { decision, ...given } = isObject(req.body) ? req.body : {};
    const asked = readRequest(jira, given);
    if (typeof asked === 'string') {
      res.status(400).type('html').send(refusalPage(asked));
      return;
    }
    const { scopes, redirectUri } = asked;
    const target = new URL(redirectUri);
    if (decision === 'accept') {
      const cloudIds = jiras.map(({ site }) => site.cloudId);
      const consent = { accountId: account.accountId, scopes, cloudIds, redirectUri };
      target.searchParams.set('code', await jira.oauth.grants.issueCode(consent));
    } else {
      target.searchParams.set('error', 'access_denied');
      target.searchParams.set('error_description', 'User did not authorize the request');
    }
    target.searchParams.set('state', asked.parameters.state ?? '');
    res.redirect(target.toString());
  });
  return router;
}

function queryOf(req: Request): Record<string, string> {
  return Object.fromEntries(new URL(req.originalUrl, 'http://localhost').searchParams);
}

/** The request, or why it cannot be shown. */
function readRequest({ oauth }: Jira, given: unknown): AuthorizationRequest | string {
  const parsed = parameters.safeParse(given);
  if (!parsed.success) return `The request is not complete or not valid. ${z.prettifyError(parsed.error)}`;
  const { client_id: clientId, scope, redirect_uri: redirectUri } = parsed.data;
  if (clientId !== oauth.clientId) return 'There is no app with this client id.';
  const scopes = [...new Set(scope.split(' ').filter((word) => word !== ''))];
  const unknown = scopes.find((name) => !Object.hasOwn(knownScopes, name));
  if (unknown !== undefined) return `There is no scope ${unknown}.`;
  return { scopes, redirectUri, parameters: parsed.data };
}
