import { lookup as dnsLookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Resolves a host name to all of its addresses. */
export type AddressLookup = (hostname: string) => Promise<ReadonlyArray<{ address: string }>>;

export type SiteUrlCheck = { ok: true; origin: string } | { ok: false; cause: string; cure: string };

interface AddressRules {
  /** Exact origins (`http://127.0.0.1:8080`) that may be plain http and private. */
  readonly allowedHttpOrigins?: ReadonlyArray<string> | undefined;
  readonly lookup?: AddressLookup | undefined;
}

const EXAMPLE = 'https://your-site.atlassian.net';

/**
 * Judges a site URL that a person has typed: https, nothing after the host, and no address inside our own network
 * (SSRF). Resolves the name; the same rule is applied again at each connect by the transport, because DNS may answer
 * differently then. Never throws.
 */
export async function checkSiteUrl(input: string, rules: AddressRules = {}): Promise<SiteUrlCheck> {
  const form = checkForm(input.trim(), rules.allowedHttpOrigins ?? []);
  if (!form.ok || form.exempt) return form.ok ? { ok: true, origin: form.url.origin } : form;
  return checkAddresses(form.url, rules.lookup ?? ((hostname) => dnsLookup(hostname, { all: true })));
}

/**
 * Whether a request may go to this URL as far as the URL itself tells: https, or an exempt http origin, and no private
 * address written out. What a name resolves to is judged when connecting.
 */
export function isAllowedUrl(url: URL, allowedHttpOrigins: ReadonlyArray<string>): boolean {
  if (url.username || url.password) return false;
  if (isExempt(url, allowedHttpOrigins)) return true;
  const literal = literalAddress(url);
  return url.protocol === 'https:' && (literal === undefined || isPublicAddress(literal));
}

/** Whether the URL's exact origin is on the list of http origins that may be private. */
export function isExempt(url: URL, allowedHttpOrigins: ReadonlyArray<string>): boolean {
  return url.protocol === 'http:' && allowedHttpOrigins.includes(url.origin);
}

type Form = { ok: true; url: URL; exempt: boolean } | { ok: false; cause: string; cure: string };

function checkForm(text: string, allowedHttpOrigins: ReadonlyArray<string>): Form {
  if (!URL.canParse(text)) {
    return refuse('The site URL is not a complete URL.', `Write it with https://, for example ${EXAMPLE}.`);
  }
  const url = new URL(text);
  if (url.username || url.password) {
    return refuse('The site URL holds a user name or password.', 'Remove the part before the @.');
  }
  const exempt = isExempt(url, allowedHttpOrigins);
  if (url.protocol !== 'https:' && !exempt) {
    return refuse('The site URL does not start with https://.', `Write it with https://, for example ${EXAMPLE}.`);
  }
  if (url.pathname !== '/') {
    return refuse(`The site URL has a path (${url.pathname}).`, `Write only ${url.origin}.`);
  }
  if (url.search || url.hash) return refuse('The site URL has a query or fragment.', `Write only ${url.origin}.`);
  if (/[/?#]$/.test(text)) return refuse('The site URL has a trailing slash.', `Write it without: ${url.origin}.`);
  return { ok: true, url, exempt };
}

async function checkAddresses(url: URL, lookup: AddressLookup): Promise<SiteUrlCheck> {
  const literal = literalAddress(url);
  if (literal !== undefined) {
    return isPublicAddress(literal) ? { ok: true, origin: url.origin } : privateAddress(url.hostname);
  }
  let found: ReadonlyArray<{ address: string }>;
  try {
    found = await lookup(url.hostname);
  } catch {
    return refuse(`The host ${url.hostname} cannot be found.`, 'Check the spelling of the site URL.');
  }
  if (found.length === 0) {
    return refuse(`The host ${url.hostname} has no address.`, 'Check the spelling of the site URL.');
  }
  return found.every(({ address }) => isPublicAddress(address))
    ? { ok: true, origin: url.origin }
    : privateAddress(url.hostname);
}

function privateAddress(hostname: string): { ok: false; cause: string; cure: string } {
  return refuse(
    `The host ${hostname} lies in a private network.`,
    'Use the address of your Jira Cloud site. For a Jira of your own machine, add its exact origin to JIRA_ALLOWED_HTTP_ORIGINS.',
  );
}

function refuse(cause: string, cure: string): { ok: false; cause: string; cure: string } {
  return { ok: false, cause, cure };
}

function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) ? host : undefined;
}

/**
 * Whether an IPv4 or IPv6 address is reachable on the public internet: not private, loopback, link-local, shared,
 * multicast or reserved. A NAT64 address is judged by the IPv4 address in it.
 * Vendor source: IANA special-purpose address registries.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !RESERVED.check(address, 'ipv4');
  if (family !== 6 || address.includes('%')) return false;
  const embedded = nat64Address(address);
  if (embedded !== undefined) return isPublicAddress(embedded);
  return GLOBAL_UNICAST.check(address, 'ipv6') && !RESERVED.check(address, 'ipv6');
}

function nat64Address(address: string): string | undefined {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const groups = /^64:ff9b::([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (!groups) return undefined;
  const [high, low] = [Number.parseInt(groups[1] ?? '', 16), Number.parseInt(groups[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

const RESERVED_V4: ReadonlyArray<readonly [string, number]> = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

// Everything outside 2000::/3 is refused already; these are the special blocks inside it.
const RESERVED_V6: ReadonlyArray<readonly [string, number]> = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const RESERVED = new BlockList();
for (const [network, prefix] of RESERVED_V4) RESERVED.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of RESERVED_V6) RESERVED.addSubnet(network, prefix, 'ipv6');

const GLOBAL_UNICAST = new BlockList();
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6');
