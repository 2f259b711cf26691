import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parseReport, type ReportHints } from '../../api/ingest/parse';
import { ReportError } from '../../api/ingest/report-error';
import { findingText, occurrenceText } from '../../workflows/rules/dedupe-key';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { groupings } from '../../workflows/rules/vocabulary';

const folder = join(__dirname, '..', 'fixtures', 'reports');

/** The path of a fixture. */
export function fixture(name: string): string {
  return join(folder, name);
}

/** Parses a fixture. */
export function parseFixture(name: string, hints?: ReportHints): Promise<ParsedReport> {
  return parseReport({ path: fixture(name) }, hints);
}

/** The text of a fixture. */
export function readFixture(name: string): string {
  return readFileSync(fixture(name), 'utf8');
}

/** Parses what is given, cut into chunks of `size` bytes: a boundary may fall anywhere. */
export function parseText(
  body: string | Buffer,
  { size = 65_536, ...hints }: ReportHints & { size?: number } = {},
): Promise<ParsedReport> {
  const bytes = Buffer.from(body);
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += size) chunks.push(bytes.subarray(start, start + size));
  return parseReport({ open: () => Readable.from(chunks, { objectMode: true }) }, hints);
}

/** The refusal that a body ends in; fails where it is taken, or where another error is thrown. */
export async function refusalOf(body: string | Buffer, options?: { size?: number }): Promise<ReportError> {
  const result = await parseText(body, options).catch((error: unknown) => error);
  if (result instanceof ReportError) return result;
  throw new Error(`Expected a ReportError, got ${result instanceof Error ? result.stack : JSON.stringify(result)}`);
}

/** Everything that identifies the findings and occurrences of a report, at each grouping. */
export function fingerprints(report: ParsedReport): string[] {
  const texts = report.findings.flatMap(({ rule, occurrences }) =>
    occurrences.flatMap(({ page, element }) => [
      ...groupings.map((grouping) => findingText({ rule, page, element }, grouping)),
      `${rule} ${occurrenceText({ page, element })}`,
    ]),
  );
  return [...new Set(texts)].sort();
}
