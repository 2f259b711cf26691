import { elsewhereCommands } from '../../bot/blocks/replies';
import { type ParsedCommand, parseCommand } from '../../bot/command-text';

const finding = (id: string) => ({ kind: 'finding' as const, id });
const issue = (key: string) => ({ kind: 'issue' as const, key });
const card = (channelId: string, ts: string) => ({ kind: 'message' as const, channelId, ts });

describe('the text of the command', () => {
  it.each<[string, ParsedCommand]>([
    ['', { verb: 'menu' }],
    [' \u00a0 \u200b ', { verb: 'menu' }],
    ['help', { verb: 'help' }],
    ['HELP', { verb: 'help' }],
    ['push F-1', { verb: 'push', findings: [finding('F-1')] }],
    ['push\u00a0f-1,\u00a0F-2 3', { verb: 'push', findings: [finding('F-1'), finding('F-2'), finding('F-3')] }],
    ['push F\u201312', { verb: 'push', findings: [finding('F-12')] }],
    ['push \u201cF-12\u201d', { verb: 'push', findings: [finding('F-12')] }],
    ['push F-007 F-7', { verb: 'push', findings: [finding('F-7')] }],
    ['push #F-1', { verb: 'push', findings: [finding('F-1')] }],
    ['push all source:shop', { verb: 'push_all', source: 'shop' }],
    ['push all shop', { verb: 'push_all', source: 'shop' }],
    ['push SHOP-2', { verb: 'push_either', source: 'SHOP-2', findings: [issue('SHOP-2')] }],
    ['push shop', { verb: 'push_all', source: 'shop' }],
    ['push source:acc-1', { verb: 'push_all', source: 'acc-1' }],
    ['rules', { verb: 'rules' }],
    ['rules shop', { verb: 'rules', source: 'shop' }],
    ['PUSH ALL SOURCE:Shop', { verb: 'push_all', source: 'Shop' }],
    ['push all source:\u201cmy shop\u201d', { verb: 'push_all', source: 'my shop' }],
    ['push all source:<http://shop.example|shop.example>', { verb: 'push_all', source: 'shop.example' }],
    ['rerun F-1 F-2', { verb: 'rerun', findings: [finding('F-1'), finding('F-2')] }],
    ['re-run F-1', { verb: 'rerun', findings: [finding('F-1')] }],
    ['status F-12', { verb: 'status', finding: finding('F-12') }],
    ['status acc-42', { verb: 'status', finding: issue('ACC-42') }],
    ['status <https://acme.atlassian.net/browse/ACC-42>', { verb: 'status', finding: issue('ACC-42') }],
    [
      'status <https://acme.atlassian.net/browse/ACC-42?filter=1|acme.atlassian.net/browse/ACC-42>',
      { verb: 'status', finding: issue('ACC-42') },
    ],
    [
      'why <https://acme.atlassian.net/jira/software/projects/ACC/boards/1?a=b&amp;selectedIssue=ACC-9>',
      { verb: 'why', finding: issue('ACC-9') },
    ],
    [
      'why <https://acme-qa.slack.com/archives/C0ACCESS00/p1767225600123456>',
      { verb: 'why', finding: card('C0ACCESS00', '1767225600.123456') },
    ],
    [
      'why <https://acme-qa.slack.com/archives/C0ACCESS00/p1767225700000001?thread_ts=1767225600.123456&amp;cid=C0ACCESS00>',
      { verb: 'why', finding: card('C0ACCESS00', '1767225600.123456') },
    ],
    ['list', { verb: 'list' }],
    ['list open', { verb: 'list', status: 'open' }],
    ['list needs re-run source:shop', { verb: 'list', status: 'needs_rerun', source: 'shop' }],
    ['list status:needs_rerun', { verb: 'list', status: 'needs_rerun' }],
    ['list source:"my shop" awaiting fix', { verb: 'list', status: 'awaiting_fix', source: 'my shop' }],
    ['sessions', { verb: 'sessions' }],
    ['connect', { verb: 'connect' }],
    ['Disconnect', { verb: 'disconnect' }],
    ['approve', { verb: 'approve' }],
    ['sessions shop', { verb: 'sessions', source: 'shop' }],
    ['psuh F-1', { verb: 'unknown', word: 'psuh', nearest: 'push' }],
    ['stauts', { verb: 'unknown', word: 'stauts', nearest: 'status' }],
    ['subscrbe', { verb: 'unknown', word: 'subscrbe', nearest: 'subscribe' }],
    ['\u{1f600}', { verb: 'unknown', word: '\u{1f600}', nearest: null }],
    ['<@U0OLIVIA00>', { verb: 'unknown', word: '<@U0OLIVIA00>', nearest: null }],
  ])('%j', (text, expected) => {
    expect(parseCommand(text, elsewhereCommands)).toEqual(expected);
  });

  it.each([
    'push',
    'push all',
    'push <@U0OLIVIA00>',
    'push everything now',
    'push <https://evil.example/>',
    'rerun',
    'status',
    'status F-1 F-2',
    'why <#C0ACCESS00|accessibility>',
    'list broken',
    'approve 12',
    'sessions shop unit',
    `push ${Array.from({ length: 30 }, (_, number) => `F-${number}`).join(' ')}`,
  ])('says what is wrong with %j', (text) => {
    expect(parseCommand(text, elsewhereCommands)).toEqual({ verb: 'invalid', message: expect.any(String) });
  });

  it('names the way where a source stands in the place of a status, and echoes no more than is needed', () => {
    expect(parseCommand('list shop')).toMatchObject({
      message: expect.stringContaining('`/recheck list source:shop`'),
    });
    const long = parseCommand(`push F-1 ${'x'.repeat(900)}`);
    expect(long.verb === 'invalid' && long.message.length).toBeLessThan(250);
  });

  it('stays quick and harmless with anything', () => {
    for (const text of ['<'.repeat(100_000), '"'.repeat(100_001), 'push '.repeat(50_000), 'a:"'.repeat(9000)])
      expect(typeof parseCommand(text).verb).toBe('string');
  });
});
