import type { JiraClient } from './jira/client';
import { JiraError } from './jira/errors';

export type TokenAccount = { siteUrl: string; email: string; apiToken: string; cloudId?: string | undefined };

type Deps = {
  clientOf: (account: TokenAccount) => JiraClient;
  cloudIdOf: (siteUrl: string) => Promise<string | undefined>;
};

/**
 * Answers the finder of where an API token works: undefined for the site itself, and where it works nowhere; the cloud
 * id for a scoped token, which the site refuses with 401 and Atlassian's gateway takes. The finder never throws.
 */
export function createTokenSiteFinder({ clientOf, cloudIdOf }: Deps) {
  const works = (account: TokenAccount) =>
    clientOf(account)
      .myself()
      .then(
        () => null,
        (error: unknown) => error,
      );

  return async (account: TokenAccount): Promise<string | undefined> => {
    const refused = await works(account);
    if (!(refused instanceof JiraError) || refused.kind !== 'auth' || refused.reason === 'captcha') return undefined;
    const cloudId = await cloudIdOf(account.siteUrl);
    if (cloudId === undefined) return undefined;
    return (await works({ ...account, cloudId })) === null ? cloudId : undefined;
  };
}
