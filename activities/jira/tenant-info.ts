import { z } from 'zod';
import { parseJson } from './failed-answer';
import { isAllowedUrl } from './site-address';
import { createJiraFetch } from './transport';

const tenantInfo = z.looseObject({ cloudId: z.string().min(1) });

/**
 * The cloud id of a site, which it tells to anybody; undefined where it does not answer one. Sends no credentials.
 * Vendor source: Atlassian, "Retrieve my Atlassian site's cloud ID" (`/_edge/tenant_info`).
 */
export async function readCloudId(
  siteUrl: string,
  { allowedHttpOrigins, timeoutMs }: { allowedHttpOrigins: ReadonlyArray<string>; timeoutMs: number },
): Promise<string | undefined> {
  if (!URL.canParse('/_edge/tenant_info', siteUrl)) return undefined;
  const url = new URL('/_edge/tenant_info', siteUrl);
  if (!isAllowedUrl(url, allowedHttpOrigins)) return undefined;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const init = { method: 'GET', headers: { accept: 'application/json' }, redirect: 'manual', signal } as const;
    const response = await createJiraFetch(allowedHttpOrigins)(url.toString(), init);
    if (response.status !== 200) return undefined;
    return tenantInfo.safeParse(parseJson(await response.text())).data?.cloudId;
  } catch {
    // Only a further way to log in is lost; that the first one failed is told already.
    return undefined;
  }
}
