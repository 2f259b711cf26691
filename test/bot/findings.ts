import type { FindingDetail, SessionView } from '../../api/operations/types';
import type { CardFinding } from '../../bot/blocks/finding-card';

/** What a scanned page could contain to do harm in Slack. */
export const hostile = [
  '<img src=x onerror="alert(1)"> & <b>bold</b>',
  '<!channel> <!here> <@U0OLIVIA00> <#C0ACCESS00> <https://evil.example|click> </recheck>',
  `${'👩‍👩‍👧‍👦 &<>*_~`'.repeat(700)}`,
  'a'.repeat(10_000),
  '\u0000\u202e\n\n\r\t',
  '',
] as const;

const at = new Date('2026-11-22T10:00:00Z');

export function cardFinding(over: Partial<CardFinding> = {}): CardFinding {
  return {
    id: 'F-12',
    title: 'Text has too little contrast',
    rule: 'color-contrast',
    severity: 'serious',
    status: 'open',
    reason: null,
    source: { name: 'Storefront', kind: 'site' },
    verifier: 'person',
    page: 'https://shop.example/cart',
    pages: 2,
    occurrences: 3,
    firstSeenAt: at,
    lastSeenAt: at,
    jira: null,
    claimedBy: null,
    missing: false,
    notFollowed: false,
    session: null,
    lastEvent: { event: 'found', actor: 'Dana', detail: '', at },
    ...over,
  };
}

export const inJira = { key: 'ACC-42', url: 'https://acme.example/browse/ACC-42', status: 'Done', resolution: 'Done' };
export const sessionId = '11111111-2222-4333-8444-555555555555';

export function findingDetail(over: Partial<FindingDetail> = {}): FindingDetail {
  return {
    id: 'F-12',
    title: 'Text has too little contrast',
    rule: 'color-contrast',
    severity: 'serious',
    status: 'open',
    fingerprint: 'abc',
    source: 'shop',
    jira: null,
    updatedAt: at.toISOString(),
    occurrences: [
      {
        page: 'https://shop.example/cart',
        status: 'seen',
        details: {},
        firstSeenAt: at.toISOString(),
        lastSeenAt: at.toISOString(),
      },
    ],
    evidence: [],
    history: [{ at: at.toISOString(), actor: 'Dana', event: 'found', detail: 'axe report' }],
    reason: null,
    missingSince: null,
    notFollowed: null,
    sourceName: 'Storefront',
    sourceKind: 'site',
    verifier: 'person',
    claim: null,
    session: null,
    ...over,
  };
}

export function session(over: Partial<SessionView> = {}): SessionView {
  return {
    id: sessionId,
    source: 'shop',
    suite: null,
    status: 'in_progress',
    verifier: 'person',
    cases: [{ finding: 'F-12', claim: 1, verdict: null }],
    ...over,
  };
}
