// One page, one address: what browsers, test runners and campaigns add to a URL is taken off, so that the same page
// is the same page in every report. Tables first; add a row with a test.

/** Query parameters that say where the visitor came from. */
const trackingParameters: readonly RegExp[] = [
  /^utm_/,
  /^(gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|ttclid|li_fat_id|igshid)$/,
  /^(mc_cid|mc_eid|_ga|_gl|_hsenc|_hsmi|hsctatracking|mkt_tok|vero_id|oly_anon_id|oly_enc_id|wickedid)$/,
  /^(pk|piwik|mtm|matomo)_(campaign|kwd|keyword|source|medium|content)$/,
];

/** Query parameters that name a visit, not a page. */
const sessionParameters: readonly RegExp[] = [
  /^(jsessionid|phpsessid|aspsessionid\w*|asp\.net_sessionid|cfid|cftoken)$/,
  /^(sid|sessid|session|sessionid|session_id|session-id)$/,
];

/** Query parameters that only defeat caches. */
const cacheParameters: readonly RegExp[] = [/^(_|cb|cachebust|cachebuster|nocache|no_cache)$/];

const noiseParameters = [...trackingParameters, ...sessionParameters, ...cacheParameters];

/** A server's own name for a folder's page. */
const defaultDocument = /\/(index\.(html?|php|aspx?|jsp)|default\.aspx?)$/i;

/** `;jsessionid=...` and its kin inside the path. */
const pathSession = /;(jsessionid|phpsessid|sid)=[^/?#]*/gi;

/** Systems hand out ports from here on; a development server's port is a different one each run. */
const FIRST_EPHEMERAL_PORT = 32_768;
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Folders that machines check a project out into; what follows is the project's own path. */
const checkoutFolders: readonly RegExp[] = [
  /^\/home\/runner\/work\/[^/]+\/[^/]+\//,
  /^\/__w\/[^/]+\/[^/]+\//,
  /^[a-z]:\/a\/[^/]+\/[^/]+\//i,
  /^\/github\/workspace\//,
  /^\/builds\/[^/]+\/[^/]+\//,
  /^\/(?:var\/lib\/jenkins|var\/jenkins_home|home\/jenkins|home\/jenkins\/agent)\/workspace\/[^/]+\//,
  /^\/home\/vsts\/work\/\d+\/s\//,
  /^\/home\/circleci\/(?:project|repo)\//,
  /^\/(?:bitbucket\/pipelines|opt\/atlassian\/pipelines)\/(?:agent\/build|build)\//,
  /^\/(?:usr\/src\/app|workspace|app)\//,
];

/**
 * The address of a page without what differs between two visits: tracking, session and cache parameters, fragment
 * (kept where it is a route, `#/...`), credentials, trailing slash, default document, order of parameters, and the
 * random port of a local server. What is no URL comes back trimmed. Applying it twice changes nothing.
 */
export function pageAddress(address: string): string {
  const text = address.trim();
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:' && url.protocol !== 'file:') return url.href;
  url.username = '';
  url.password = '';
  url.hash = pageRoute(url.hash);
  url.pathname = pagePath(url.pathname);
  url.search = pageQuery(url.searchParams);
  if (loopback.test(url.hostname) && Number(url.port) >= FIRST_EPHEMERAL_PORT) url.port = '';
  return url.pathname === '/' && url.search === '' && url.hash === '' ? url.href.replace(/\/$/, '') : url.href;
}

/** Whether a query parameter says nothing about which page it is. */
export function isNoiseParameter(name: string): boolean {
  const lower = name.toLowerCase();
  return noiseParameters.some((pattern) => pattern.test(lower));
}

/**
 * The path of a test file as the project knows it: forward slashes, and without the folder that a CI machine
 * checked the project out into.
 */
export function projectFile(path: string): string {
  const forward = path
    .trim()
    .replaceAll('\\', '/')
    .replace(/^file:\/\/(?=\/)/, '');
  const folder = checkoutFolders.find((pattern) => pattern.test(forward));
  return (folder ? forward.replace(folder, '') : forward).replace(/^(?:\.\/)+/, '');
}

function pagePath(path: string): string {
  // Until nothing changes: taking a default document off may uncover another slash or session.
  const cleaned = path
    .replace(pathSession, '')
    .replace(/\/{2,}/g, '/')
    .replace(defaultDocument, '/')
    .replace(/(?<=.)\/$/, '');
  return cleaned === path ? path : pagePath(cleaned);
}

/** The route that a fragment holds, where it holds one; the root route is the page itself. */
function pageRoute(fragment: string): string {
  const route = fragment.replace(/\?.*$/, '').replace(/\/+$/, '');
  return /^#!?\//.test(route) ? route : '';
}

function pageQuery(parameters: URLSearchParams): string {
  const kept = [...parameters].filter(([name]) => !isNoiseParameter(name));
  kept.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return new URLSearchParams(kept).toString();
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
