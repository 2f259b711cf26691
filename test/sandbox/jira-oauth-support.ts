import { answerConsent } from '../support/stack-consent';
import { type Answered, type Client, client, type SandboxUnderTest } from './jira-support';

export const redirectUri = 'http://127.0.0.1:9/connect/atlassian/callback';
export const allScopes = 'read:jira-work write:jira-work read:jira-user manage:jira-webhook offline_access';
export const dayMs = 86_400_000;

/** The address that an app sends a person to. */
export function authorizeUrl({ sandbox }: SandboxUnderTest, more: Record<string, string> = {}): string {
  const url = new URL('/authorize', sandbox.url);
  const parameters = {
    audience: 'api.atlassian.com',
    client_id: sandbox.oauth.clientId,
    scope: allScopes,
    redirect_uri: redirectUri,
    state: 'a state',
    response_type: 'code',
    prompt: 'consent',
    ...more,
  };
  url.search = new URLSearchParams(parameters).toString();
  return url.toString();
}

/** Calls the token endpoint as the app. */
export function token({ sandbox, anonymous }: SandboxUnderTest, more: Record<string, string>): Promise<Answered> {
  const { clientId, clientSecret } = sandbox.oauth;
  return anonymous('POST', '/oauth/token', { client_id: clientId, client_secret: clientSecret, ...more });
}

export interface Pair {
  access_token: string;
  refresh_token: string;
}

/** Goes through consent and exchange. */
export async function connect(jira: SandboxUnderTest, scope = allScopes): Promise<Pair> {
  const target = await answerConsent(authorizeUrl(jira, { scope }));
  const code = target.searchParams.get('code') ?? '';
  const { status, body } = await token(jira, { grant_type: 'authorization_code', code, redirect_uri: redirectUri });
  if (status !== 200) throw new Error(`The exchange answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

export function refresh(jira: SandboxUnderTest, refreshToken: string): Promise<Answered> {
  return token(jira, { grant_type: 'refresh_token', refresh_token: refreshToken });
}

/** Calls the gateway for a site with an access token; the path begins with `/rest`. */
export function gateway({ sandbox }: SandboxUnderTest, { cloudId, token }: { cloudId: string; token: string }): Client {
  const call = client(`${sandbox.url}/ex/jira/${cloudId}`);
  return (method, path, body, headers = {}) =>
    call(method, path, body, { authorization: `Bearer ${token}`, ...headers });
}

export async function resources({ anonymous }: SandboxUnderTest, accessToken: string): Promise<Answered> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return anonymous('GET', '/oauth/token/accessible-resources', undefined, headers);
}

/** The newest grant, as the controls tell of it. */
export async function latestGrant({ anonymous }: SandboxUnderTest) {
  return (await anonymous('GET', '/sandbox/oauth')).body.grants.at(-1);
}
