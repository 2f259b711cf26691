// Which findings a picture of an upload shows, without a database: by the names of the report's own attachments, or by
// the name of the picture's part.

import { pageAddress, projectFile } from '../workflows/rules/page-address';
import type { Coverage } from '../workflows/rules/report-verdict';

/** A picture as an upload names it. */
export type NamedPicture = { field: string; filename: string };
/** A finding of the report, as pictures find it. */
type ShownFinding = {
  id: string;
  key: string;
  rule: string;
  title: string;
  details: { [key: string]: unknown };
  occurrences: readonly { page: string | null; details: { [key: string]: unknown } }[];
};
type Said = { findings: readonly ShownFinding[]; coverage: Coverage };

/** The ids of the findings that a picture shows; where there is none, why it is not kept. */
export type Place = { findingIds: string[]; unused: string | null };

const convention =
  'Name its part evidence[<fingerprint, test name or page URL>], or give it the file name under which the report lists it as an attachment.';

/**
 * What each picture shows, in the order of the pictures. One that shows no finding (of a test that passed, or of which
 * nobody can say what it is) costs nothing but itself: CI jobs send whole folders of them.
 */
export function placePictures(pictures: readonly NamedPicture[], said: Said): Place[] {
  const attachments = attachmentsOf(said.findings);
  return pictures.map((picture) => {
    const target = targetOf(picture.field);
    return target === null ? byAttachment(picture, attachments) : byTarget(target, said);
  });
}

function targetOf(field: string): string | null {
  return /^evidence\[(.*)\]$/s.exec(field.trim())?.[1]?.trim() ?? null;
}

function byTarget(target: string, { findings, coverage }: Said): Place {
  const asked = new Set([target, decoded(target)].filter(Boolean).map(oneLine));
  const pages = new Set([...asked].flatMap((text) => [text, pageAddress(text), projectFile(text)]));
  const shown = findings.filter(
    ({ key, rule, title, occurrences }) =>
      [key, oneLine(rule), oneLine(title)].some((name) => asked.has(name)) ||
      occurrences.some(({ page }) => page !== null && pages.has(page)),
  );
  if (shown.length > 0) return shows(shown.map(({ id }) => id));
  if (wasLookedAt(coverage, { asked, pages })) return unused('The report finds nothing wrong with what it shows.');
  return unused(`The report holds nothing named ${quoted(target)}. ${convention}`);
}

function wasLookedAt(coverage: Coverage, { asked, pages }: { asked: Set<string>; pages: Set<string> }): boolean {
  if (coverage.kind === 'pages') return [...pages].some((page) => coverage.pages.has(page));
  for (const [test, executions] of coverage.tests) {
    if (asked.has(oneLine(test))) return true;
    if (executions.some(({ file }) => file !== null && pages.has(file))) return true;
  }
  return false;
}

function byAttachment(picture: NamedPicture, attachments: Map<string, Set<string>>): Place {
  for (const name of [picture.filename, picture.field].map(asPath)) {
    const exact = attachments.get(name);
    if (exact) return shows([...exact]);
    const near = name === '' ? [] : [...attachments].filter(([path]) => endsWith(path, name) || endsWith(name, path));
    if (near.length === 1) return shows(near.flatMap(([, ids]) => [...ids]));
    if (near.length > 1) {
      return unused(
        `Failures of the report have ${near.length} attachments of this name. Send it with its folder (curl -F "x=@<file>;filename=<path in the report>"), or name its part evidence[<fingerprint, test name or page URL>].`,
      );
    }
  }
  return unused(`No failure of the report lists it as an attachment. ${convention}`);
}

const shows = (findingIds: string[]): Place => ({ findingIds, unused: null });
const unused = (reason: string): Place => ({ findingIds: [], unused: reason });

/** The findings by the path of each attachment that the report lists for them. */
function attachmentsOf(findings: readonly ShownFinding[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { id, details, occurrences } of findings) {
    for (const each of [details, ...occurrences.map((place) => place.details)]) {
      for (const path of namesIn(each.attachments)) found.set(path, (found.get(path) ?? new Set()).add(id));
    }
  }
  return found;
}

function namesIn(attachments: unknown): string[] {
  if (!Array.isArray(attachments)) return [];
  return attachments.flatMap((each: unknown) => {
    if (typeof each === 'string') return [asPath(each)];
    if (typeof each !== 'object' || each === null) return [];
    const path = 'path' in each && typeof each.path === 'string' ? each.path : '';
    const name = 'name' in each && typeof each.name === 'string' ? each.name : '';
    return [asPath(path || name)].filter(Boolean);
  });
}

function asPath(name: string): string {
  return name
    .trim()
    .replaceAll('\\', '/')
    .replace(/^(?:\.?\/)+/, '');
}

const endsWith = (path: string, tail: string) => path.endsWith(`/${tail}`);
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
const quoted = (name: string) => `"${tellable(name)}"`;

/** A name of the sender's, fit for an answer and for a column: without half a character or a control character. */
export function tellable(name: string): string {
  return [...name.replace(/\p{Cc}/gu, ' ')].slice(0, 120).join('');
}

/** Clients write a quote or a bracket inside a part's name as %22 or %5D. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
