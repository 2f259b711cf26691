import fc from 'fast-check';
import type { AdfNode } from '../../activities/jira/adf';
import { TEXT_LIMIT, truncate } from '../../activities/jira/adf';
import type { CreateFields } from '../../activities/jira/create-meta';
import { missingRequiredFields } from '../../activities/jira/create-meta';
import type { IssueContentInput } from '../../activities/jira/issue-content';
import { issueFields } from '../../activities/jira/issue-content';
import type { JiraIssueField } from '../../activities/jira/schemas';
import { failedComment, passedComment } from '../../activities/jira/verification-comments';
import { documentMistake } from '../../local/sandbox/jira/adf/validate';

const MARKER = 'recheck-3f9a2c1b7d40e865';

const AXE: IssueContentInput = {
  projectId: '10000',
  issueTypeId: '10004',
  finding: {
    number: 12,
    title: 'Elements must meet minimum color contrast ratio thresholds',
    rule: 'color-contrast',
    severity: 'serious',
    details: {
      description: 'Ensure the contrast between foreground and background colors meets WCAG 2 AA.',
      help: 'Elements must meet minimum color contrast ratio thresholds',
      helpUrl: 'https://dequeuniversity.com/rules/axe/4.14/color-contrast',
      tags: ['cat.color', 'wcag2aa', 'wcag143', 'wcag21aa', 'wcag1411', 'TTv5'],
      howToFix: 'Fix any of the following:\n  Element has insufficient color contrast of 2.32',
    },
  },
  occurrences: [
    {
      page: 'https://shop.example/cart',
      details: { selector: '.price > span', snippet: '<span class="price">9 €</span>' },
    },
    { page: 'https://shop.example/cart', details: { selector: '.old' } },
    { page: 'https://shop.example/pay', details: {} },
  ],
  source: { name: 'Shop' },
  rule: { labels: ['a11y', 'needs triage'] },
  note: 'Seen by hand too.\n\nPlease fix before the sale.',
  findingUrl: 'https://recheck.example/findings/F-12',
  marker: MARKER,
};

const JUNIT: IssueContentInput = {
  ...AXE,
  finding: {
    number: 7,
    title: 'checkout › pays with a voucher',
    rule: 'checkout.spec.ts › pays with a voucher',
    severity: 'serious',
    details: {
      suite: 'checkout',
      className: 'checkout.spec',
      file: 'tests/checkout.spec.ts',
      failureType: 'AssertionError',
      message: 'expected 200, got 500',
      stack: '\u001b[31mAssertionError\u001b[39m\n    at tests/checkout.spec.ts:12:5',
    },
  },
  occurrences: [{ page: 'tests/checkout.spec.ts', details: { message: 'expected 200, got 500' } }],
  note: null,
};

function field(fieldId: string, extra: Partial<JiraIssueField> = {}): JiraIssueField {
  return { fieldId, name: fieldId, required: false, hasDefaultValue: false, ...extra };
}

const PRIORITIES = field('priority', {
  allowedValues: ['Highest', 'High', 'Medium', 'Low'].map((name, index) => ({ id: String(index + 1), name })),
});
const SCREEN: CreateFields = [field('summary'), field('description'), field('labels'), PRIORITIES];

describe('the issue of an accessibility finding', () => {
  const { fields } = issueFields({ ...AXE, createFields: SCREEN });
  const words = wordsOf(fields.description);

  it('names project and type by id, and the finding on one line', () => {
    expect(fields).toMatchObject({
      project: { id: '10000' },
      issuetype: { id: '10004' },
      summary: 'Elements must meet minimum color contrast ratio thresholds',
    });
  });

  it.each([
    'Ensure the contrast between foreground',
    'Rule: color-contrast',
    'Severity: serious',
    'WCAG: WCAG 2.0 AA, 1.4.3, WCAG 2.1 AA, 1.4.11',
    'Pages (2)',
    'https://shop.example/cart',
    'https://shop.example/pay',
    'Elements (2)',
    '.price > span',
    '<span class="price">9 €</span>',
    'How to fix',
    'insufficient color contrast',
    'Review note',
    'Please fix before the sale.',
    'Tracked by Recheck as F-12',
  ])('says %j', (part) => {
    expect(words).toContain(part);
  });

  it('is a valid document', () => {
    expectWellFormed(fields.description);
    expectWellFormed(issueFields(JUNIT).fields.description);
  });

  it('links the pages, the rule and the finding', () => {
    const links = nodesOf(fields.description).flatMap(({ marks = [] }) =>
      marks.flatMap(({ type, attrs }) => (type === 'link' ? [attrs?.href] : [])),
    );
    expect(links).toEqual([
      'https://shop.example/cart',
      'https://shop.example/pay',
      'https://dequeuniversity.com/rules/axe/4.14/color-contrast',
      'https://recheck.example/findings/F-12',
    ]);
  });
});

describe('the issue of a failing test', () => {
  const words = wordsOf(issueFields(JUNIT).fields.description);

  it.each([
    'Suite: checkout',
    'Class: checkout.spec',
    'File: tests/checkout.spec.ts',
    'Failure: AssertionError',
    'Failure message',
    'expected 200, got 500',
    'Stack',
    'AssertionError\n    at tests/checkout.spec.ts:12:5',
  ])('says %j', (part) => {
    expect(words).toContain(part);
  });

  it('has no terminal colours and no empty sections', () => {
    expect(words).not.toContain('[31m');
    expect(words).not.toContain('Review note');
    expect(words).not.toContain('WCAG');
  });
});

describe('the marker', () => {
  it('is a label, with the labels of the rule without white space and each once', () => {
    const { fields, markerIn, properties } = issueFields({
      ...AXE,
      rule: { labels: ['a11y', ' two words ', 'a11y', ' '] },
    });
    expect(fields.labels).toEqual([MARKER, 'a11y', 'two-words']);
    expect(markerIn).toBe('labels');
    expect(properties).toEqual([{ key: 'recheck.marker', value: { marker: MARKER } }]);
    expect(wordsOf(fields.description)).not.toContain(MARKER);
  });

  it('ends the description where the screen has no labels', () => {
    const { fields, markerIn, dropped } = issueFields({
      ...AXE,
      createFields: [field('summary'), field('description')],
    });
    expect(markerIn).toBe('description');
    expect(fields).not.toHaveProperty('labels');
    expect(dropped).toEqual(['labels']);
    expect(wordsOf(fields.description).trimEnd().endsWith(`\n${MARKER}`)).toBe(true);
  });

  it('ends even a description that had to be cut', () => {
    const stack = 'at somewhere\n'.repeat(20_000);
    const finding = { ...JUNIT.finding, details: { stack } };
    const { fields } = issueFields({ ...JUNIT, finding, createFields: [field('description')] });
    expect(wordsOf(fields.description)).toContain(MARKER);
    expect(JSON.stringify(fields.description).length).toBeLessThanOrEqual(TEXT_LIMIT);
  });

  it('is reported where it can go nowhere', () => {
    const { fields, markerIn } = issueFields({ ...AXE, createFields: [field('summary')] });
    expect(markerIn).toBe('none');
    expect(Object.keys(fields).sort()).toEqual(['issuetype', 'project', 'summary']);
  });
});

describe('the optional fields', () => {
  it.each([
    ['critical', undefined, { id: '1' }],
    ['serious', undefined, { id: '2' }],
    ['moderate', undefined, { id: '3' }],
    ['minor', undefined, { id: '4' }],
    ['minor', { minor: 'highest' }, { id: '1' }],
    ['minor', { minor: '3' }, { id: '3' }],
  ])('give %s with the map %j the priority %j', (severity, priorities, expected) => {
    const input = { ...AXE, finding: { ...AXE.finding, severity }, rule: { priorities }, createFields: SCREEN };
    expect(issueFields(input).fields.priority).toEqual(expected);
  });

  it('are left out, and reported, where the screen does not allow what the rule asks for', () => {
    const rule = {
      priorities: { serious: 'Blocker' },
      component: 'Web',
      assignee: 'acc-1',
      template: { fields: { customfield_1: 'x' } },
    };
    const { fields, dropped } = issueFields({ ...AXE, rule, createFields: SCREEN });
    expect(dropped.sort()).toEqual(['assignee', 'components', 'customfield_1', 'priority']);
    expect(Object.keys(fields)).not.toContain('priority');
  });

  it('are sent where the screen allows them', () => {
    const rule = {
      component: 'web',
      assignee: 'acc-1',
      template: { fields: { customfield_1: { value: 'x' }, summary: 'not this' } },
    };
    const createFields = [
      ...(SCREEN ?? []),
      field('components', { allowedValues: [{ id: '77', name: 'Web' }] }),
      field('assignee'),
      field('customfield_1'),
    ];
    const { fields, dropped } = issueFields({ ...AXE, rule, createFields });
    expect(fields).toMatchObject({
      components: [{ id: '77' }],
      assignee: { id: 'acc-1' },
      customfield_1: { value: 'x' },
      summary: AXE.finding.title,
    });
    expect(dropped).toEqual([]);
  });

  it('of which a required one without default is missing are named', () => {
    const screen = [
      field('summary', { required: true }),
      field('reporter', { required: true, hasDefaultValue: true }),
      field('customfield_1', { required: true }),
      field('customfield_2', { required: true }),
    ];
    expect(missingRequiredFields(screen, ['customfield_2']).map(({ fieldId }) => fieldId)).toEqual(['customfield_1']);
  });
});

describe('limits', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 40_000, size: 'max' });

  it('hold for every text, and nothing that Jira refuses gets through', () => {
    const inputs = fc.record({
      title: anything,
      stack: anything,
      snippet: anything,
      note: anything,
      pages: fc.array(anything, { maxLength: 80 }),
      label: fc.string(),
    });
    fc.assert(
      fc.property(inputs, ({ title, stack, snippet, note, pages, label }) => {
        const { fields } = issueFields({
          ...AXE,
          finding: { ...AXE.finding, title, details: { stack, description: title, howToFix: note } },
          occurrences: pages.map((page) => ({ page, details: { snippet, selector: title } })),
          rule: { labels: [label] },
          note,
        });
        const summary = fields.summary as string;
        expect(summary.length).toBeGreaterThan(0);
        expect(summary.length).toBeLessThanOrEqual(255);
        expect(summary).not.toMatch(/[\n\r\u2028]/u);
        expect(JSON.stringify(fields.description).length).toBeLessThanOrEqual(TEXT_LIMIT);
        expect(fields.labels).toContain(MARKER);
        for (const one of fields.labels as string[]) expect(one).toMatch(/^\S+$/u);
        expectWellFormed(fields.description);
      }),
      { numRuns: 25 },
    );
  });

  it('hold for details of any shape', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (details, found) => {
        const finding = { ...AXE.finding, details };
        const { fields } = issueFields({ ...AXE, finding, occurrences: [{ details: found }], note: undefined });
        expectWellFormed(fields.description);
      }),
    );
  });

  it('cut a text between characters', () => {
    expect(truncate('abc', 3)).toBe('abc');
    expect(truncate('abcd', 3)).toBe('ab…');
    expect(truncate('a😀bc', 3)).toBe('a…');
  });
});

describe('the comment after a re-run', () => {
  const base = {
    findingNumber: 12,
    findingUrl: 'https://recheck.example/findings/F-12',
    decidedBy: 'Ada',
    decidedAt: new Date('2026-11-22T10:05:00Z'),
  };

  it('that passed gives the proof', () => {
    const words = wordsOf(
      passedComment({ ...base, proof: 'The rule ran on 3 of 3 pages and found nothing.', note: 'Nice.' }),
    );
    expect(words).toContain('Re-run passed: the fix is verified. F-12');
    expect(words).toContain('Decided by Ada on 2026-11-22 10:05 UTC.');
    expect(words).toContain('3 of 3 pages');
    expect(words).toContain('Nice.');
  });

  it('that failed says what was seen and what happens next', () => {
    const failure = 'expected 200, got 500';
    expect(wordsOf(failedComment({ ...base, failure }))).toContain('stays flagged');
    expect(wordsOf(failedComment({ ...base, failure, reopened: true }))).toContain('was reopened');
    expect(wordsOf(failedComment({ ...base, failure }))).toContain(failure);
  });

  it('stays within the limit', () => {
    const long = '\u0000"\\\n'.repeat(20_000);
    const comment = failedComment({ ...base, failure: long, note: long, proof: long });
    expect(JSON.stringify(comment).length).toBeLessThanOrEqual(TEXT_LIMIT);
    expectWellFormed(comment);
  });
});

function nodesOf(node: unknown): AdfNode[] {
  const { content = [] } = node as AdfNode;
  return [node as AdfNode, ...content.flatMap(nodesOf)];
}

/** The words of a document, one block per line. */
function wordsOf(node: unknown): string {
  const { type, text = '', content = [] } = node as AdfNode;
  const inner = text + content.map(wordsOf).join('');
  return ['paragraph', 'heading', 'codeBlock'].includes(type) ? `${inner}\n` : inner;
}

function expectWellFormed(document: unknown): void {
  expect(documentMistake(document as Parameters<typeof documentMistake>[0])).toBeUndefined();
  for (const { type, text = '' } of nodesOf(document)) {
    if (type !== 'text') continue;
    expect(text).not.toBe('');
    expect(text.replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cs}]/u);
  }
}
