import { checkSiteUrl, isAllowedUrl, isPublicAddress } from '../../activities/jira/site-address';

const PUBLIC = async () => [{ address: '104.192.142.9' }, { address: '2401:1d80:321c::1' }];

describe('a site URL', () => {
  it.each(['https://acme.atlassian.net', '  https://acme.atlassian.net  ', 'https://ACME.atlassian.net'])(
    'is accepted: %j',
    async (input) => {
      expect(await checkSiteUrl(input, { lookup: PUBLIC })).toEqual({ ok: true, origin: 'https://acme.atlassian.net' });
    },
  );

  it.each([
    ['', 'not a complete URL', 'https://'],
    ['acme.atlassian.net', 'not a complete URL', 'https://'],
    ['http://acme.atlassian.net', 'does not start with https://', 'https://'],
    ['ftp://acme.atlassian.net', 'does not start with https://', 'https://'],
    ['https://acme.atlassian.net/', 'trailing slash', 'Write it without: https://acme.atlassian.net.'],
    [
      'https://acme.atlassian.net/jira/projects',
      'has a path (/jira/projects)',
      'Write only https://acme.atlassian.net.',
    ],
    ['https://acme.atlassian.net?a=1', 'query or fragment', 'Write only https://acme.atlassian.net.'],
    ['https://acme.atlassian.net#x', 'query or fragment', 'Write only'],
    ['https://me:secret@acme.atlassian.net', 'user name or password', 'Remove'],
    ['https://127.0.0.1', 'private network', 'JIRA_ALLOWED_HTTP_ORIGINS'],
    ['https://2130706433', 'private network', 'Jira Cloud site'],
    ['https://[::1]', 'private network', 'Jira Cloud site'],
    ['https://[::ffff:10.0.0.1]', 'private network', 'Jira Cloud site'],
  ])('is refused with cause and cure: %j', async (input, cause, cure) => {
    const check = await checkSiteUrl(input, { lookup: PUBLIC });
    expect(check).toEqual({ ok: false, cause: expect.stringContaining(cause), cure: expect.stringContaining(cure) });
    expect(JSON.stringify(check)).not.toContain('secret');
  });

  it.each([['10.1.2.3'], ['169.254.169.254'], ['fe80::1'], ['fd00::1'], ['::1']])(
    'is refused when one of its addresses is %s',
    async (address) => {
      const lookup = async () => [{ address: '104.192.142.9' }, { address }];
      expect(await checkSiteUrl('https://rebind.example', { lookup })).toMatchObject({
        ok: false,
        cause: expect.stringContaining('private network'),
      });
    },
  );

  it('is refused when the host is unknown', async () => {
    const lookup = async () => {
      throw new Error('ENOTFOUND');
    };
    expect(await checkSiteUrl('https://acne.atlassian.net', { lookup })).toEqual({
      ok: false,
      cause: 'The host acne.atlassian.net cannot be found.',
      cure: 'Check the spelling of the site URL.',
    });
    expect(await checkSiteUrl('https://acne.atlassian.net', { lookup: async () => [] })).toMatchObject({ ok: false });
  });

  it('may be http and private only for an exact origin on the list', async () => {
    const allowedHttpOrigins = ['http://127.0.0.1:4010'];
    expect(await checkSiteUrl('http://127.0.0.1:4010', { allowedHttpOrigins })).toMatchObject({ ok: true });
    expect(await checkSiteUrl('http://127.0.0.1:4010/', { allowedHttpOrigins })).toMatchObject({ ok: false });
    expect(await checkSiteUrl('http://127.0.0.1:4011', { allowedHttpOrigins })).toMatchObject({ ok: false });
    expect(await checkSiteUrl('https://127.0.0.1:4010', { allowedHttpOrigins })).toMatchObject({ ok: false });
  });
});

describe('a request URL', () => {
  it.each([
    ['https://acme.atlassian.net/rest/api/3/myself', true],
    ['http://acme.atlassian.net/rest', false],
    ['https://169.254.169.254/latest/meta-data', false],
    ['https://user@acme.atlassian.net/', false],
    ['http://127.0.0.1:4010/rest', true],
    ['http://127.0.0.1:40101/rest', false],
  ])('%s: %s', (url, allowed) => {
    expect(isAllowedUrl(new URL(url), ['http://127.0.0.1:4010'])).toBe(allowed);
  });
});

describe('a public address', () => {
  it.each(['8.8.8.8', '104.192.142.9', '172.15.0.1', '172.32.0.1', '2401:1d80::1', '64:ff9b::808:808'])(
    'is %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.1.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '64:ff9b::7f00:1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fe80::1%eth0',
    'ff02::1',
    'not an address',
  ])('is not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
