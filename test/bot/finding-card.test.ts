// What the card of a finding and `why` say and offer where the issue, or the way to it, is gone.

import { connectOffer } from '../../bot/blocks/connections';
import { type CardFinding, findingActions, findingCard } from '../../bot/blocks/finding-card';
import { asCardFinding, why } from '../../bot/blocks/findings';
import { pushCard } from '../../bot/blocks/push-card';
import type { Message } from '../../bot/blocks/text';
import { validateMessage } from '../../local/sandbox/slack/block-kit';
import { acceptedReason, missingReason } from '../../workflows/rules/push-gate';
import { cardFinding, findingDetail, hostile, inJira, sessionId } from './findings';
import { pushSummary } from './push-samples';

const at = new Date('2026-11-22T10:00:00Z');
const { push, pass, fail, openInJira, recreate, accept, drop, unlink, more } = findingActions;
const running = { id: sessionId, status: 'in_progress' as const };
const gone = { missing: true, reason: missingReason('ACC-42'), jira: inJira };

const blocksOf = (message: Message) => JSON.stringify(message.blocks);

function offered(over: Partial<CardFinding>): { actions: string[]; menu: string[] } {
  const message = findingCard(cardFinding(over));
  expect(validateMessage(message)).toEqual([]);
  const elements = message.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
  return {
    actions: elements.map((each) => ('action_id' in each ? (each.action_id ?? '') : '')),
    menu: elements.flatMap((each) =>
      each.type === 'overflow' ? each.options.map(({ value }) => value?.split(' ')[0] ?? '') : [],
    ),
  };
}

describe('the card of a finding without a live issue', () => {
  it('S8 one whose issue was deleted while its re-run runs says so, offers what can be decided, and the verdicts', () => {
    const finding = { ...gone, status: 'needs_rerun' as const, session: running };
    expect(offered(finding)).toEqual({
      actions: [recreate, accept, drop, more],
      menu: ['pass', 'fail', 'skip', 'unstable', 'why'],
    });
    const card = findingCard(cardFinding(finding));
    for (const said of [card.text, blocksOf(card)]) {
      expect(said).toContain('Re-run in progress: ACC-42 was deleted in Jira');
    }
    expect(card.text).toContain('It waits for somebody to decide what becomes of it.');
  });

  it('S8 one that was accepted as it is leads to no dead issue, waits for no reopening, and can be taken up again', () => {
    const reason = acceptedReason('ACC-42');
    const lastEvent = { event: 'accepted', actor: 'Ada', detail: reason, at };
    const finding = { status: 'blocked' as const, reason, jira: inJira, lastEvent };
    expect(offered(finding).actions).toEqual([unlink, more]);
    const card = findingCard(cardFinding(finding));
    const told = why(findingDetail({ status: 'blocked', reason, jira: inJira }));
    for (const said of [card.text, blocksOf(card), told.text]) expect(said).not.toMatch(/reopened|\/browse\//);
    for (const said of [card.text, told.text]) expect(said).toContain('nothing, unless somebody drops the link');
    expect(blocksOf(card)).toContain('Ada accepted it as it is');
    expect(offered({ status: 'blocked', reason: 'Duplicate', jira: inJira }).actions).toEqual([openInJira, more]);
  });

  it('S8 why of a finding whose issue was deleted says that somebody has to decide', () => {
    const { text } = why(findingDetail({ status: 'awaiting_fix', missingSince: at.toISOString(), jira: inJira }));
    expect(text).toContain('It waits for somebody to decide what becomes of it.');
    expect(text).not.toContain('marked Done');
  });

  it('C8 card, status and why of a finding on a disconnected connection say that nothing syncs, and what to do', () => {
    const detail = findingDetail({ status: 'awaiting_fix', jira: inJira, notFollowed: 'Its connection was ended.' });
    expect(why(detail).text).toMatch(/Its connection was ended\. It waits for an admin to connect its Jira site again/);
    for (const finding of [
      asCardFinding(detail),
      cardFinding({ status: 'awaiting_fix', jira: inJira, notFollowed: true }),
    ]) {
      const card = findingCard(finding);
      for (const said of [card.text, blocksOf(card)]) {
        expect(said).toMatch(/was disconnected: what happens to its issue there no longer counts/);
        expect(said).toContain('/recheck connect');
      }
      expect(card.text).not.toContain('marked Done');
    }
  });
});

describe('the words of a card', () => {
  it('V3 offers no Pass where reports alone can pass, and says so', () => {
    const finding = { status: 'needs_rerun', jira: inJira, session: running, verifier: 'report' } as const;
    expect(offered(finding).actions).toEqual([fail, openInJira, more]);
    expect(offered({ ...finding, verifier: 'person' }).actions).toEqual([pass, fail, openInJira, more]);
    expect(offered({ ...finding, ...gone }).menu).not.toContain('pass');
    const card = findingCard(cardFinding(finding));
    for (const said of [card.text, blocksOf(card)]) expect(said).toContain('Only a report can pass it');
  });

  it('B9 why says the state as the card does', () => {
    const open = why(findingDetail({ reason: 'Its push was rejected.' })).text;
    expect(open).toContain('*F-12:* Open: Its push was rejected. It waits for a push to Jira.');
    const claim = { by: 'Dana', at: at.toISOString(), number: 1 };
    const flagged = why(findingDetail({ status: 'needs_rerun', claim })).text;
    expect(flagged).toContain('*F-12:* Needs re-run: Done in Jira by Dana. It waits for a re-run that passes.');
  });

  it('B2 says the name of a test once, and no long sentence twice', () => {
    const test = findingCard(cardFinding({ title: 'shop › adds to the cart', rule: 'shop › adds to the cart' }));
    for (const said of [test.text, blocksOf(test)]) expect(said.split('adds to the cart')).toHaveLength(2);
    const cut = 'very '.repeat(40).trim();
    expect(blocksOf(findingCard(cardFinding({ title: cut, rule: cut })))).toContain(cut);
    const lastEvent = { event: 'issue_missing', actor: 'recheck', detail: gone.reason, at };
    const card = findingCard(cardFinding({ ...gone, status: 'awaiting_fix', lastEvent }));
    expect(blocksOf(card).split('was deleted in Jira')).toHaveLength(2);
    expect(blocksOf(card)).toContain('Recheck no longer finds the issue in Jira');
  });

  it('B2 names the source alike in the channel and for who asks for the status', () => {
    const detail = findingDetail({ source: 'checkout-tests', sourceName: 'Checkout tests', sourceKind: 'suite' });
    expect(blocksOf(findingCard(asCardFinding(detail)))).toContain('*Suite*\\nCheckout tests');
    expect(findingCard(asCardFinding(detail)).text).toContain('Suite Checkout tests');
  });

  it('B10 leaves the bar of a push to the eye: its text says the numbers alone', () => {
    const card = pushCard(pushSummary());
    expect(blocksOf(card)).toContain('█');
    expect(card.text).not.toMatch(/[█░`]/);
    expect(card.text).toContain('50 %: 5 of 10 done');
    expect(offered({ status: 'open' }).actions).toEqual([push, more]);
  });
});

describe('the offer to connect', () => {
  const ended = {
    id: '1',
    siteUrl: 'https://acme.example',
    projectKey: 'ACC',
    disconnectedAt: at.toISOString(),
    links: 12,
    sources: ['shop', 'checkout'],
  };

  it('C8 names a connection that was ended, and that its links can be adopted', () => {
    const { text } = connectOffer({ connections: [], ended: [ended], url: 'https://r.example/connect/x', minutes: 10 });
    expect(text).toContain('Jira is not connected any more.');
    expect(text).toMatch(/acme\.example.*ACC.*disconnected.*12 links to issues can be adopted by a new connection/);
    expect(text).toContain('shop, checkout');
    for (const text of hostile) {
      const old = { ...ended, siteUrl: text, projectKey: text, sources: Array.from({ length: 20 }, () => text) };
      const many = Array.from({ length: 20 }, () => old);
      const message = connectOffer({ connections: [], ended: many, url: 'https://r.example/connect/x', minutes: 10 });
      expect(validateMessage(message)).toEqual([]);
      expect(message.text).not.toMatch(/<!(channel|here)|<@U0/);
    }
  });
});
