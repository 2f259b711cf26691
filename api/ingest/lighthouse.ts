// Lighthouse's JSON. Its accessibility audits are rules of axe under their own ids, so they are the same findings.

import { elementKey } from '../../workflows/rules/element-key';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { lighthouseSeverity } from '../../workflows/rules/severity';
import { asObject, type Json, listOf, stringOf } from './json-object';
import { readJsonValues } from './json-values';
import { createPageReport, type PageReport } from './page-report';
import { ReportError } from './report-error';
import { cleanText, lengths } from './text';
import { timestamp } from './timestamp';

type Gathered = {
  audits: Map<string, Json>;
  refs: readonly unknown[] | null;
  texts: Map<string, string>;
  failed: boolean;
};

const named = ['requestedUrl', 'finalUrl', 'finalDisplayedUrl', 'fetchTime', 'lighthouseVersion'];
/** Modes in which an audit says something by its score (Lighthouse, core/audits/audit.js). */
const scored = new Set(['binary', 'numeric', 'metricSavings']);

/** Reads a Lighthouse report, or refuses with `ReportError`. */
export async function readLighthouse(
  chunks: AsyncIterable<Uint8Array>,
  hints: { startedAt?: Date | undefined; page?: string | undefined },
): Promise<ParsedReport> {
  const gathered: Gathered = { audits: new Map(), refs: null, texts: new Map(), failed: false };
  await readJsonValues(chunks, {
    paths: ['$.audits.*', '$.categories.accessibility', '$.runtimeError', ...named.map((name) => `$.${name}`)],
    onValue: ({ path, value }) => take(gathered, path, value),
  });
  const { audits, refs, texts, failed } = gathered;
  if (refs === null) {
    const message =
      'The Lighthouse report has no accessibility audits. Run it with the accessibility category (--only-categories=accessibility).';
    throw new ReportError('invalid_report', message);
  }
  const report = createPageReport('lighthouse');
  const started = timestamp(texts.get('fetchTime'))?.date ?? hints.startedAt ?? null;
  const page = failed
    ? texts.get('requestedUrl')
    : (texts.get('finalDisplayedUrl') ?? texts.get('finalUrl') ?? texts.get('requestedUrl') ?? hints.page);
  if (failed) {
    if (page) report.failed(page);
    return report.report(started);
  }
  const engine = `Lighthouse ${texts.get('lighthouseVersion') ?? ''}`.trim();
  for (const value of refs) {
    const ref = asObject(value);
    const id = stringOf(ref, 'id');
    const audit = id === null ? undefined : audits.get(id);
    if (!id || !audit) throw unlisted(id);
    const weight = typeof ref?.weight === 'number' ? ref.weight : null;
    judge(report, audit, { id, weight, page: page ?? null, engine });
  }
  return report.report(started);
}

function take(gathered: Gathered, path: (string | number)[], value: unknown): void {
  const name = String(path.at(-1) ?? '');
  if (path[0] === 'categories') {
    const category = asObject(value);
    gathered.refs = category && Array.isArray(category.auditRefs) ? category.auditRefs : null;
  } else if (path[0] === 'audits') {
    const audit = asObject(value);
    if (!audit || stringOf(audit, 'scoreDisplayMode') === null) throw unlisted(name);
    gathered.audits.set(name, audit);
  } else if (path[0] === 'runtimeError') {
    gathered.failed = asObject(value) !== null && stringOf(asObject(value), 'code') !== 'NO_ERROR';
  } else if (typeof value === 'string') {
    gathered.texts.set(name, cleanText(value, lengths.snippet));
  }
}

type About = { id: string; weight: number | null; page: string | null; engine: string };

/** Passed and not applicable audits ran; manual, informative and failed ones decide nothing. */
function judge(report: PageReport, audit: Json, about: About): void {
  const mode = stringOf(audit, 'scoreDisplayMode') ?? '';
  const { score } = audit;
  const broken = scored.has(mode) && typeof score === 'number' && score < 1;
  const decided = mode === 'notApplicable' || (scored.has(mode) && typeof score === 'number');
  if (about.page !== null) report.ran(about.page, about.id, decided ? 'ran' : 'inconclusive');
  if (!broken) return;
  const items = listOf(asObject(audit.details), 'items');
  const nodes = items.map((item) => asObject(asObject(item)?.node));
  for (const node of nodes.length > 0 ? nodes : [null]) addNode(report, audit, { ...about, node });
}

function addNode(
  report: PageReport,
  audit: Json,
  { id, weight, page, engine, node }: About & { node: Json | null },
): void {
  const debug = asObject(asObject(audit.details)?.debugData);
  const impact = stringOf(debug, 'impact');
  const severity = lighthouseSeverity({ weight, impact });
  const selector = cleanText(stringOf(node, 'selector'), lengths.line);
  const snippet = cleanText(stringOf(node, 'snippet'), lengths.snippet);
  const explanation = cleanText(stringOf(node, 'explanation'), lengths.snippet);
  const text = stringOf(audit, 'description') ?? '';
  const tags = listOf(debug, 'tags').filter((tag) => typeof tag === 'string');
  report.add({
    rule: id,
    title: stringOf(audit, 'title') ?? id,
    severity,
    page,
    element: selector || snippet ? elementKey({ selector, html: snippet }) : null,
    runner: 'lighthouse',
    details: {
      kind: 'accessibility',
      description: cleanText(text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'), lengths.line),
      help: cleanText(stringOf(audit, 'title'), lengths.title),
      helpUrl: cleanText(/\((https?:\/\/[^\s)]+)\)/.exec(text)?.[1], lengths.line),
      tags: tags.map((tag) => cleanText(tag, 80)),
      howToFix: explanation,
      engine: cleanText(engine, 80),
    },
    place: { selector, snippet, impact: severity, failureSummary: explanation },
  });
}

function unlisted(id: string | null): ReportError {
  const name = cleanText(id, 60) || 'without an id';
  const message = `The Lighthouse report has no whole audit "${name}" among its audits. Send what Lighthouse wrote, unchanged.`;
  return new ReportError('invalid_report', message);
}
