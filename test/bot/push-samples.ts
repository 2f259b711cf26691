import type { PushChoices, PushSummary, RuleForm, RuleView } from '../../api/operations/types';
import { defaultRule, severities } from '../../workflows/rules/vocabulary';

/** What can be picked of a source: so many findings, every word of them `text`. */
export function pushChoices(over: { ready: number; text?: string; key?: string; linked?: number }): PushChoices {
  const { ready, text = 'Text has too little contrast', key = 'shop', linked = 1 } = over;
  return {
    source: { key, name: key },
    projectKey: 'ACC',
    others: [],
    ready: Array.from({ length: ready }, (_, index) => ({
      finding: `F-${index + 1}`,
      title: text,
      rule: 'color-contrast',
      severity: severities[index % severities.length] ?? 'minor',
      pages: index,
      wcag: ['WCAG 1.4.3', text],
    })),
    held: null,
    linked,
    refused: [
      { reason: `Its severity is below the threshold. ${text}`, count: 5, findings: ['F-901', 'F-902', 'F-903'] },
    ],
  };
}

export const pushId = '22222222-2222-4333-8444-555555555555';

export function pushSummary(over: Partial<PushSummary> = {}): PushSummary {
  return {
    id: pushId,
    status: 'running',
    kind: 'bulk',
    note: null,
    source: { key: 'shop', name: 'Storefront' },
    projectKey: 'ACC',
    requestedBy: 'Mel',
    outcomes: { created: 5, pending: 5, refused: 2 },
    reasons: [{ outcome: 'refused', reason: 'It is blocked.', count: 2, findings: ['F-8', 'F-9'] }],
    waiting: [],
    approval: null,
    createdAt: new Date('2026-11-22T10:00:00Z'),
    completedAt: null,
    ...over,
  };
}

export function ruleView(over: Partial<RuleView> = {}): RuleView {
  const connection = '33333333-2222-4333-8444-555555555555';
  const rule = { ...defaultRule, enabled: true, projectKey: 'ACC', connection };
  return { ...rule, warnings: [], autoPushSince: null, ...over };
}

export function ruleForm(rule: RuleView, over: Partial<RuleForm> = {}): RuleForm {
  return {
    source: { key: 'shop', name: 'Storefront', kind: 'site' },
    rule,
    connections: [
      { id: '33333333-2222-4333-8444-555555555555', name: 'acme.example', status: 'connected', projectKey: 'ACC' },
    ],
    projects: [
      { key: 'ACC', name: 'Access' },
      { key: 'WEB', name: 'Web' },
    ],
    issueTypes: ['Bug', 'Task'].map((name, index) => ({ id: String(index), name })),
    priorities: ['High', 'Low'].map((name, index) => ({ id: String(index), name })),
    components: [{ id: '1', name: 'Cart' }],
    required: [],
    placeholders: [{ name: 'title', meaning: 'the title of the finding' }],
    problem: null,
    ...over,
  };
}
