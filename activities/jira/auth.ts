/**
 * The value of the Authorization header for an API token.
 * Vendor source: Atlassian, "Basic auth for REST APIs".
 */
export function basicAuthorization(account: { email: string; apiToken: string }): string {
  return `Basic ${Buffer.from(`${account.email}:${account.apiToken}`, 'utf8').toString('base64')}`;
}

/** The value of the Authorization header for an OAuth access token. */
export function bearerAuthorization(accessToken: string): string {
  return `Bearer ${accessToken}`;
}
