import { codeKey, elementKey } from '../../workflows/rules/element-key';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { sarifSeverity } from '../../workflows/rules/severity';
import { createPageReport, type PageReport } from './page-report';
import { earliest } from './timestamp';

export type SarifRule = {
  id: string;
  name: string;
  short: string;
  full: string;
  help: string;
  helpUrl: string;
  level: string | null;
  score: string | number | null;
  tags: string[];
};
export type SarifPlace = { uri: string; artifact: number; line: number | null; snippet: string; enclosing: string };
/** What is kept of a result. */
export type SarifResult = {
  ruleId: string;
  ruleIndex: number;
  /** The index of the extension that the rule is of; -1 for the tool's own. */
  extension: number;
  kind: string;
  level: string | null;
  baseline: string | null;
  suppressed: boolean;
  message: string;
  fingerprints: [string, string][];
  places: SarifPlace[];
};
/** One run, gathered before anything is judged: results may stand before the rules and files that they name. */
export type SarifRun = {
  driver: string;
  rules: SarifRule[];
  extensions: Map<number, SarifRule[]>;
  artifacts: string[];
  /** Where the tool ran; files are named from there. */
  folders: string[];
  results: SarifResult[];
  startedAt: Date | null;
  failed: boolean;
  /** Whether there is a list of results at all. */
  listed: boolean;
};

const nowhere: SarifPlace = { uri: '', artifact: -1, line: null, snippet: '', enclosing: '' };

/**
 * Findings and coverage of SARIF runs. Only files that a run names were looked at; what a rule that is not mentioned
 * would have said is known for what the same tool had found there.
 */
export function sarifReport(runs: readonly SarifRun[], hints: { startedAt?: Date | undefined }): ParsedReport {
  const report = createPageReport('sarif');
  for (const run of runs) addRun(report, run);
  return report.report(earliest(runs.map((run) => run.startedAt)) ?? hints.startedAt ?? null);
}

function addRun(report: PageReport, run: SarifRun): void {
  const runner = `sarif ${run.driver}`;
  const named = new Set(run.artifacts.filter(Boolean).map((uri) => fileOf(uri, run)));
  for (const result of run.results) {
    const rule = ruleOf(run, result);
    for (const place of placesOf(result, run)) {
      const uri = place.uri || run.artifacts[place.artifact] || '';
      const page = uri === '' ? null : fileOf(uri, run);
      if (page !== null) named.add(page);
      addResult(report, { result, rule, place, page, runner });
    }
  }
  for (const page of named) {
    if (run.failed || !run.listed) report.failed(page);
    else report.lookedAt(page, [runner]);
  }
}

/** A verdict without a place, such as "not applicable", is about all that the run looked at. */
function placesOf({ kind, places }: SarifResult, { artifacts }: SarifRun): SarifPlace[] {
  if (places.length > 0) return places;
  return kind === 'fail' ? [nowhere] : artifacts.map((uri) => ({ ...nowhere, uri }));
}

type Seen = { result: SarifResult; rule: SarifRule; place: SarifPlace; page: string | null; runner: string };

function addResult(report: PageReport, seen: Seen): void {
  const { result, rule, place, page } = seen;
  const element = elementOf(result, { place, page });
  const level = result.level ?? rule.level ?? 'warning';
  switch (result.kind) {
    case 'pass':
    case 'notApplicable':
      if (page !== null) report.ran(page, rule.id);
      return;
    case 'fail':
      break;
    default:
      if (page !== null) report.ran(page, rule.id, 'inconclusive');
      return;
  }
  // The baseline knows it, and this run did not find it: the file counts as looked at, and that is all.
  if (result.baseline === 'absent') return;
  if (result.suppressed || level === 'none') {
    if (page !== null) report.undecided(page, rule.id, element);
    return;
  }
  report.add({
    rule: rule.id,
    title: titleOf(rule) || result.message,
    severity: sarifSeverity({ level, securityScore: rule.score }),
    page,
    element,
    runner: seen.runner,
    details: detailsOf(seen),
    place: {
      ...(page !== null ? { file: page } : {}),
      ...(place.line === null ? {} : { line: String(place.line) }),
      ...(place.enclosing ? { selector: place.enclosing } : {}),
      snippet: place.snippet,
      failureSummary: result.message,
    },
  });
}

/** Some tools describe a rule by its own id ("Semgrep Finding: ..."). */
function titleOf({ id, short, full, name }: SarifRule): string {
  const words = [short, full.split('\n', 1)[0] ?? '', name].filter(Boolean);
  return words.find((text) => !text.includes(id)) ?? words[0] ?? '';
}

function detailsOf({ result, rule, page, runner }: Seen): { [key: string]: unknown } {
  return {
    kind: page !== null && isWeb(page) ? 'accessibility' : 'code',
    description: rule.full || rule.short || result.message,
    help: rule.short || rule.name,
    helpUrl: isWeb(rule.helpUrl) ? rule.helpUrl : '',
    tags: rule.tags,
    howToFix: rule.help || result.message,
    engine: runner.replace(/^sarif /, ''),
  };
}

/** On a page an element as everywhere else; in a file what stays the same when lines move. */
function elementOf(result: SarifResult, { place, page }: { place: SarifPlace; page: string | null }): string {
  if (page !== null && isWeb(page)) return elementKey({ selector: place.enclosing, html: place.snippet });
  const { enclosing, snippet } = place;
  return codeKey({ fingerprints: result.fingerprints, enclosing, snippet, message: result.message });
}

function ruleOf(run: SarifRun, result: SarifResult): SarifRule {
  const rules = result.extension < 0 ? run.rules : (run.extensions.get(result.extension) ?? []);
  const known = rules[result.ruleIndex] ?? rules.find(({ id }) => id === result.ruleId);
  const id = result.ruleId || known?.id || run.driver;
  if (known) return { ...known, id };
  return { id, name: '', short: '', full: '', help: '', helpUrl: '', level: null, score: null, tags: [] };
}

function fileOf(uri: string, { folders }: SarifRun): string {
  const folder = folders.map((each) => each.replace(/\/?$/, '/')).find((each) => uri.startsWith(each));
  return folder === undefined ? uri : uri.slice(folder.length);
}

function isWeb(address: string): boolean {
  return /^https?:\/\//i.test(address);
}
