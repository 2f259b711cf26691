import { createHmac } from 'node:crypto';
import { Refusal } from '../../api/operations/refusal';
import type { Operations, VerdictRequest } from '../../api/operations/types';
import { findingActions, findingCard } from '../../bot/blocks/finding-card';
import { pushActions } from '../../bot/blocks/pushes';
import { sessionActions } from '../../bot/blocks/sessions';
import { DEFAULT_CHANNEL, TEAM } from '../../local/sandbox/slack/directory';
import { MEL, OLIVIA, SECRET, type World } from '../sandbox/slack-fixture';
import { until } from '../support/until';
import { type BotWorld, startBotWorld } from './bot-world';
import { cardFinding, findingDetail, inJira, session, sessionId } from './findings';
import { pushChoices } from './push-samples';

const GUEST = 'U0GUS00000';

describe('the listeners, over HTTP with real signatures', () => {
  let bot: BotWorld;
  let world: World;
  let logged: BotWorld['logged'];
  let given: Partial<Operations> = {};

  beforeAll(async () => {
    // Each call looks up what the running test gave.
    bot = await startBotWorld(() => given);
    ({ world, logged } = bot);
  });
  afterAll(() => bot.stop());
  beforeEach(async () => {
    await world.sandbox('DELETE', 'faults');
    given = {};
    bot.isInstalled(true);
    logged.length = 0;
  });

  const command = (text: string, user = MEL) =>
    world.act('command', { user, channel: DEFAULT_CHANNEL, text, wait: 8000 });
  const said = async (text: string, user = MEL) =>
    (await command(text, user)).ephemerals.map((each) => each.text).join('\n');
  const post = (message: { text: string; blocks: unknown[] }) => bot.post(message);
  const click = async (actionId: string, over: { ts: string; user?: string; value?: string; wait?: number }) =>
    world.act('click', { user: MEL, channel: DEFAULT_CHANNEL, actionId, wait: 8000, ...over });

  const seenBy = async (user: string) =>
    JSON.stringify(await (await world.sandbox('GET', `state?user=${user}`)).json());

  const send = (body: string, secret: string, timestamp = Math.floor(Date.now() / 1000)) =>
    fetch(bot.requestUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': String(timestamp),
        'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`,
      },
      body,
    });
  const form = (text: string, over: Record<string, string> = {}) =>
    new URLSearchParams({
      command: '/recheck',
      text,
      team_id: TEAM.id,
      user_id: MEL,
      channel_id: DEFAULT_CHANNEL,
      trigger_id: '1.1.x',
      response_url: `${world.slack.url}/nowhere`,
      ...over,
    }).toString();

  it('answers the menu and the help in the acknowledgement itself', async () => {
    expect(await said('')).toContain('What would you like to do?');
    expect(await said('help')).toContain('push F-12');
    expect(await said('hlep')).toContain('Did you mean `/recheck help`?');
    expect(await said('roles')).toContain('/api/v1/members');
    expect(await said('push <!channel>')).toContain('names no finding');
  });

  it('refuses forged and old requests with 401, and takes signed ones', async () => {
    expect((await send(form('help'), SECRET)).status).toBe(200);
    expect((await send(form('help'), 'x')).status).toBe(401);
    expect((await send(form('help'), SECRET, Math.floor(Date.now() / 1000) - 600)).status).toBe(401);
    expect((await fetch(bot.requestUrl, { method: 'POST', body: form('help') })).status).toBe(401);
  });

  it('answers nobody in a workspace without an installation', async () => {
    bot.isInstalled(false);
    expect((await send(form('status F-1'), SECRET)).status).not.toBe(404);
    await until(() => logged.some(({ fields }) => String(fields.error).includes('not installed')));
  });

  it('acknowledges in time while an operation stalls, and answers when it is done', async () => {
    given = {
      getFinding: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5000));
        return findingDetail();
      },
    };
    const before = Date.now();
    expect((await send(form('status F-12', { trigger_id: '2.2.x', user_id: OLIVIA }), SECRET)).status).toBe(200);
    expect(Date.now() - before).toBeLessThan(3000);
    expect(await said('status F-12')).toContain('F-12, serious: color-contrast');
  });

  it('answers with a reference when an operation breaks, and logs the cause with it', async () => {
    given = { getFinding: async () => Promise.reject(new Error('database gone, token xoxb-1-secret')) };
    const text = await said('status F-12');
    const [, reference] = text.match(/reference \*(\w+)\*/) ?? [];
    expect(text).not.toContain('database');
    expect(logged.find(({ fields }) => fields.reference === reference)?.fields.error).toBe(
      'database gone, token [token]',
    );
  });

  it('tells a refusal with its reason, escaped', async () => {
    given = { getFinding: async () => Promise.reject(new Refusal('not_found', 'x', 'There is no <!channel> F-12.')) };
    expect(await said('status F-12')).toBe('There is no &lt;!channel&gt; F-12.');
    expect(logged).toEqual([]);
  });

  it('refuses guests and people who are not members', async () => {
    given = { getFinding: async () => findingDetail() };
    expect(await said('status F-12', GUEST)).toContain('Guests');
    given = { callerBySlackUser: async () => null };
    expect(await said('status F-12')).toMatch(/not a member in Recheck yet.*<@U0OLIVIA00>.*U0MEL00000/);
  });

  it('asks Slack who somebody is once, not at every act', async () => {
    given = { getFinding: async () => findingDetail() };
    await said('status F-12');
    const asked = async () =>
      ((await (await world.sandbox('GET', 'requests?method=users.info')).json()) as { items: unknown[] }).items.length;
    const before = await asked();
    await said('status F-12');
    expect(await asked()).toBe(before);
  });

  it('answers by the Web API where the response_url fails', async () => {
    given = { getFinding: async () => findingDetail() };
    await send(form('status F-12', { trigger_id: '3.3.x', user_id: OLIVIA }), SECRET);
    await until(async () => logged.some(({ message }) => message.includes('response_url failed')));
    await until(async () => (await seenBy(OLIVIA)).includes('F-12, serious'));
  });

  it('pushes named findings, a push for each source, and says the keys', async () => {
    const asked: unknown[] = [];
    given = {
      getFinding: async (_caller, id) => findingDetail({ id, source: id === 'F-2' ? 'unit' : 'shop' }),
      push: async (_caller, request) => {
        asked.push(request);
        return { id: request.source, status: 'running', items: [] };
      },
      awaitPush: async (_caller, id) => ({
        id,
        status: 'completed',
        items: [{ finding: id === 'shop' ? 'F-1' : 'F-2', outcome: 'created', jiraKey: 'ACC-1' }],
      }),
    };
    expect(await said('push F-1 F-2')).toBe('*F-1* pushed as *ACC-1*\n*F-2* pushed as *ACC-1*');
    expect(asked).toEqual([
      { source: 'shop', findings: ['F-1'], requestId: expect.stringMatching(/^slack:T0ACMEQA00:.+:shop$/) },
      { source: 'unit', findings: ['F-2'], requestId: expect.stringMatching(/:unit$/) },
    ]);
  });

  it('gives a request that Slack delivers twice the same id', async () => {
    const ids: (string | undefined)[] = [];
    given = {
      getFinding: async () => findingDetail(),
      push: async (_caller, { requestId }) => {
        ids.push(requestId);
        return { id: 'p', status: 'completed', items: [{ finding: 'F-12', outcome: 'created', jiraKey: 'ACC-1' }] };
      },
    };
    await send(form('push F-12', { trigger_id: '4.4.x', user_id: OLIVIA }), SECRET);
    await send(form('push F-12', { trigger_id: '4.4.x', user_id: OLIVIA }), SECRET);
    await until(() => ids.length === 2);
    expect(new Set(ids).size).toBe(1);
  });

  it('never pushes a whole source at once: counts, then a button', async () => {
    const pushed: unknown[] = [];
    given = {
      pushChoices: async () => pushChoices({ ready: 2 }),
      push: async (_caller, request) => {
        pushed.push(request);
        return { id: 'p', status: 'completed', items: [{ finding: 'F-1', outcome: 'created', jiraKey: 'ACC-2' }] };
      },
    };
    const { ephemerals } = await command('push all source:shop');
    expect(ephemerals[0]?.text).toContain('2 findings ready to push to ACC');
    expect(pushed).toEqual([]);
    await click(pushActions.confirmAll, { ts: ephemerals[0]?.ts ?? '', wait: 0 });
    await until(() => pushed.length === 1);
    expect(pushed[0]).toMatchObject({ source: 'shop', findings: 'all' });
  });

  it('pushes from the card', async () => {
    given = {
      getFinding: async () => findingDetail(),
      push: async () => ({
        id: 'p',
        status: 'completed',
        items: [{ finding: 'F-12', outcome: 'created', jiraKey: 'ACC-7' }],
      }),
    };
    const ts = await post(findingCard(cardFinding()));
    expect((await click(findingActions.push, { ts })).ephemerals[0]?.text).toBe('*F-12* pushed as *ACC-7*');
    expect((await click(findingActions.push, { ts, user: GUEST })).ephemerals[0]?.text).toContain('Guests');
  });

  it('starts a re-run, and shows the session that holds a finding instead of making a second', async () => {
    given = {
      getFinding: async () => findingDetail({ status: 'needs_rerun' }),
      createSession: async () => session({ status: 'planned' }),
      startSession: async () => session(),
    };
    expect(await said('rerun F-12')).toContain('Re-run started');

    const held = { id: sessionId, status: 'in_progress' as const };
    given = { getFinding: async () => findingDetail({ session: held }), getSession: async () => session() };
    expect(await said('rerun F-12')).toContain('A session holds a finding');

    let reads = 0;
    given = {
      getFinding: async () => findingDetail({ status: 'needs_rerun', session: reads++ === 0 ? null : held }),
      createSession: async () => Promise.reject(new Refusal('conflict', 'session_open', 'held')),
      getSession: async () => session(),
    };
    expect(await said('rerun F-12')).toContain('Re-run of shop: in progress');
  });

  it('takes a pass, a note with a fail, and skip or unstable from the menu of the card', async () => {
    const verdicts: { id: string; given: VerdictRequest[] }[] = [];
    given = {
      giveVerdicts: async (_caller, id, decided) => {
        verdicts.push({ id, given: decided });
        return session({ status: 'completed' });
      },
    };
    const held = { id: sessionId, status: 'in_progress' as const };
    const ts = await post(findingCard(cardFinding({ status: 'needs_rerun', jira: inJira, session: held })));
    expect((await click(findingActions.pass, { ts })).ephemerals[0]?.text).toContain('*F-12* passed');

    const { view } = await click(findingActions.fail, { ts });
    expect(view?.title.text).toBe('Fail F-12');
    const values = { text: 'Still 2.1:1 on the button' };
    await world.act('submit', { user: MEL, viewId: view?.id ?? '', values });
    await until(async () => (await seenBy(MEL)).includes('*F-12* failed'));

    await click(findingActions.more, { ts, value: `unstable F-12 ${sessionId}`, wait: 0 });
    await until(() => verdicts.length === 3);
    expect(verdicts).toEqual([
      { id: sessionId, given: [{ finding: 'F-12', verdict: 'pass' }] },
      { id: sessionId, given: [{ finding: 'F-12', verdict: 'fail', note: 'Still 2.1:1 on the button' }] },
      { id: sessionId, given: [{ finding: 'F-12', verdict: 'unstable' }] },
    ]);
  });

  it('acknowledges the link button and does nothing else', async () => {
    const ts = await post(findingCard(cardFinding({ status: 'awaiting_fix', jira: inJira })));
    const { status, ephemerals } = await world.act('click', {
      user: MEL,
      channel: DEFAULT_CHANNEL,
      actionId: findingActions.openInJira,
      ts,
      wait: 0,
    });
    expect([status, ephemerals]).toEqual([200, []]);
  });

  it('lists, explains, and shows what needs a re-run and the sessions', async () => {
    const page = [{ ...findingDetail(), occurrences: 2 }];
    const row = { finding: 'F-12', title: 'Contrast', jiraKey: 'ACC-1', claimedBy: 'Dana', claimedAt: null };
    const held = { id: sessionId, status: 'planned' as const };
    given = {
      listFindings: async () => ({ items: page, nextCursor: null }),
      listVerification: async () => ({ items: [{ ...row, session: held, lastVerdict: null }], nextCursor: null }),
      getFinding: async () => findingDetail(),
      getSession: async () => session({ status: 'planned' }),
      startSession: async () => session(),
    };
    expect(await said('list open')).toContain('Findings: open');
    expect(await said('list needs re-run')).toContain('Session pending');
    expect(await said('why F-12')).toContain('It waits for a push to Jira');
    expect(await said('why <https://acme-qa.slack.com/archives/C0ACCESS00/p1767225600123456>')).toContain('F-12');
    expect(await said('why <https://acme-qa.slack.com/archives/C0ACCESS00/p1767225600999999>')).toContain(
      'not the card',
    );
    const { ephemerals } = await command('sessions');
    expect(ephemerals[0]?.text).toContain('planned, not started');
    const started = await click(sessionActions.start, { ts: ephemerals[0]?.ts ?? '', wait: 0 });
    expect(started.status).toBe(200);
    await until(async () => (await seenBy(MEL)).includes('Re-run of shop*: in progress'));
  });

  it('marks a workspace that removed the app as disconnected', async () => {
    const event = JSON.stringify({
      type: 'event_callback',
      team_id: TEAM.id,
      api_app_id: 'A',
      event_id: 'E1',
      event: { type: 'app_uninstalled' },
    });
    const timestamp = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', SECRET).update(`v0:${timestamp}:${event}`).digest('hex');
    const headers = {
      'content-type': 'application/json',
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': `v0=${signature}`,
    };
    expect((await fetch(bot.requestUrl, { method: 'POST', headers, body: event })).status).toBe(200);
    await until(() => bot.disconnected.includes('installation'));
  });
});
