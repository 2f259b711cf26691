import { parseConfig } from '../../activities/config';

const needed = {
  DATABASE_URL: 'postgresql://recheck:pass@db:5432/recheck',
  ENCRYPTION_KEYS: 'k1:AAAA',
  BASE_URL: 'https://recheck.example.com',
};

describe('the configuration', () => {
  it.each([
    ['SWEEP_MS', '0'],
    ['SWEEP_MS', '99'],
    ['SWEEP_MS', '99999999999'],
    ['JIRA_TIMEOUT_MS', '0'],
    ['CREATE_TIMEOUT_MS', '2147483648'],
    ['CONNECT_LINK_MS', '0'],
    ['POLL_INTERVAL_MS', '999'],
    ['BASE_URL', 'localhost:3000'],
    ['BASE_URL', 'recheck.example.com:443'],
    ['BASE_URL', 'ftp://hunter2'],
    ['BASE_URL', 'javascript:alert(1)'],
    ['BASE_URL', 'https://x?y=1'],
    ['BASE_URL', 'https://x/#hunter2'],
    ['BASE_URL', 'https://user:hunter2@x'],
    ['SLACK_API_URL', 'slack.com/api'],
    ['ATLASSIAN_API_URL', 'ftp://hunter2'],
    ['DATABASE_URL', 'foo'],
    ['DATABASE_URL', 'mysql://u:hunter2@db/x'],
    ['DATABASE_URL', 'postgres://u:hunter2#@db/x'],
  ])('refuses %s=%s by its name, without its value', (name, value) => {
    const parse = () => parseConfig({ ...needed, [name]: value });
    expect(parse).toThrow(name);
    expect(parse).not.toThrow(/hunter2/);
  });

  it('takes what is blank as not set, and what has spaces around it without them', () => {
    const blank = parseConfig({ ...needed, SWEEP_MS: ' ', METRICS_PORT: ' ', BASE_URL: ' https://x ' });
    expect(blank).toMatchObject({ sweepMs: 5000, metricsPort: undefined, baseUrl: 'https://x' });
    expect(() => parseConfig({ ...needed, ENCRYPTION_KEYS: ' ' })).toThrow('ENCRYPTION_KEYS');
  });

  it('builds links from an address without slashes at its end', () => {
    expect(parseConfig({ ...needed, BASE_URL: 'http://x:3000//' }).baseUrl).toBe('http://x:3000');
    expect(parseConfig({ ...needed, BASE_URL: 'https://x/recheck/' }).baseUrl).toBe('https://x/recheck');
    expect(parseConfig({ ...needed, ATLASSIAN_AUTH_URL: 'https://x//' }).atlassian.authUrl).toBe('https://x');
  });

  it('lets an approval wait for longer than a timer of Node can', () => {
    const day = 86_400_000;
    expect(parseConfig({ ...needed, APPROVAL_EXPIRE_MS: String(90 * day) }).approval.expireMs).toBe(90 * day);
  });
});
