import { z } from 'zod';
import { descriptionParts, fillTemplate, type PlaceholderValues } from '../../workflows/rules/issue-template';
import type { AdfDocument, AdfNode } from './adf';
import { bulletList, code, codeBlock, doc, heading, link, paragraph, paragraphs, strong, text, truncate } from './adf';

export interface IssueFinding {
  /** The short number: 12 for F-12. */
  readonly number: number;
  readonly title: string;
  readonly rule: string;
  readonly severity: string;
  /** As ingest stored it; what is absent or of another type is left out. */
  readonly details?: unknown;
}

export interface IssueOccurrence {
  readonly page?: string | null | undefined;
  readonly details?: unknown;
}

export interface DescriptionInput {
  readonly finding: IssueFinding;
  readonly occurrences: ReadonlyArray<IssueOccurrence>;
  readonly source: { readonly name: string };
  readonly note?: string | null | undefined;
  readonly findingUrl?: string | undefined;
  /** How many places there are, where `occurrences` holds only the first of them. */
  readonly occurrenceCount?: number | undefined;
}

// Stored JSON: absence and odd types are normal, so nothing here can fail.
const line = z.string().optional().catch(undefined);

const findingDetails = z
  .looseObject({
    description: line,
    help: line,
    helpUrl: line,
    tags: z.array(z.string()).catch([]).default([]),
    howToFix: line,
    suite: line,
    className: line,
    file: line,
    failureType: line,
    message: line,
    stack: line,
  })
  .catch({ tags: [] });

const occurrenceDetails = z
  .looseObject({ selector: line, snippet: line, message: line, stack: line, failureSummary: line })
  .catch({});

type FindingDetails = z.infer<typeof findingDetails>;
type OccurrenceDetails = z.infer<typeof occurrenceDetails>;

interface Place {
  readonly page: string | undefined;
  readonly details: OccurrenceDetails;
}

/** How many characters and list items a part may have; `of` shrinks a budget while the document is too long. */
type Budget = (full: number) => number;

/**
 * The description of a finding's issue: what is wrong, where, how to fix it, the evidence as text, the reviewer's note
 * and the way back to Recheck. `scale` (0 to 1) shrinks the long parts; `tail` is put at the very end. A `template`
 * takes the place of the first three, or has them where it says `{details}`.
 */
export function describeFinding(
  input: DescriptionInput,
  options: { scale: number; tail: ReadonlyArray<AdfNode>; template?: string | undefined },
): AdfDocument {
  const { finding, note, findingUrl, source, occurrenceCount } = input;
  const { details, places } = parsed(input);
  const of: Budget = (full) => Math.max(Math.floor(full * options.scale), 1);
  const standard = () => [
    ...introduction(details, of),
    facts(finding, details, source.name),
    ...placesSection(places, of, occurrenceCount ?? 0),
    ...howToFix(details, places, of),
    ...failure(details, places, of),
  ];
  return doc([
    ...(options.template ? templated(options.template, { input, standard, of }) : standard()),
    ...(note ? [heading('Review note'), ...paragraphs(truncate(note, of(4_000)))] : []),
    wayBack(finding, findingUrl),
    ...options.tail,
  ]);
}

function templated(
  template: string,
  { input, standard, of }: { input: DescriptionInput; standard: () => AdfNode[]; of: Budget },
): AdfNode[] {
  const values = placeholderValues(input);
  const cut = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, truncate(value, of(4_000))]),
  ) as PlaceholderValues;
  return descriptionParts(template).flatMap((part) =>
    part === null ? standard() : paragraphs(truncate(fillTemplate(part, cut), of(20_000))),
  );
}

/** What the placeholders of a template stand for; empty where the report does not say. */
export function placeholderValues(input: DescriptionInput): PlaceholderValues {
  const { finding, source, note, findingUrl } = input;
  const { details, places } = parsed(input);
  const pages = [...new Set(places.flatMap(({ page }) => page ?? []))];
  const first = <T>(pick: (place: Place) => T | undefined) => places.map(pick).find((value) => value !== undefined);
  return {
    title: finding.title,
    rule: finding.rule,
    severity: finding.severity,
    source: source.name,
    finding: `F-${finding.number}`,
    page: pages[0] ?? '',
    pages: pages.slice(0, MAX_PAGES).join(', '),
    pageCount: String(pages.length),
    occurrences: String(Math.max(input.occurrenceCount ?? 0, places.length)),
    wcag: wcagNames(details.tags).join(', '),
    help: details.help ?? '',
    helpUrl: details.helpUrl ?? '',
    selector: first((place) => place.details.selector) ?? '',
    snippet: first((place) => place.details.snippet) ?? '',
    message: details.message ?? first((place) => place.details.message) ?? '',
    howToFix: details.howToFix ?? first((place) => place.details.failureSummary) ?? '',
    note: note ?? '',
    link: findingUrl ?? '',
  };
}

function parsed({ finding, occurrences }: DescriptionInput): { details: FindingDetails; places: Place[] } {
  const details = findingDetails.parse(finding.details ?? {});
  const places = occurrences.map(({ page, details: found }) => ({
    page: page ?? undefined,
    details: occurrenceDetails.parse(found ?? {}),
  }));
  return { details, places };
}

function introduction(details: FindingDetails, of: Budget): AdfNode[] {
  return paragraphs(truncate(details.description ?? details.help ?? '', of(3_000)));
}

function facts(finding: IssueFinding, details: FindingDetails, sourceName: string): AdfNode {
  const wcag = wcagNames(details.tags);
  const rows: Array<[string, AdfNode[] | undefined]> = [
    ['Rule', code(truncate(finding.rule, 500))],
    ['Severity', text(finding.severity)],
    ['WCAG', wcag.length > 0 ? text(wcag.join(', ')) : undefined],
    ['Suite', plain(details.suite)],
    ['Class', plain(details.className)],
    ['File', plain(details.file)],
    ['Failure', plain(details.failureType)],
    ['Source', text(truncate(sourceName, 200))],
  ];
  return bulletList(rows.flatMap(([name, value]) => (value ? [[...strong(`${name}: `), ...value]] : [])));
}

function plain(value: string | undefined): AdfNode[] | undefined {
  return value ? text(truncate(value, 500)) : undefined;
}

/** "WCAG 2.1 AA", "1.4.3": what axe's tags say, in the words of the standard. Other tags are left out. */
function wcagNames(tags: ReadonlyArray<string>): string[] {
  return tags.slice(0, 40).flatMap((tag) => {
    const criterion = /^wcag(\d)(\d)(\d+)$/.exec(tag);
    if (criterion) return [criterion.slice(1).join('.')];
    const level = /^wcag(2)(\d?)(a{1,3})$/.exec(tag);
    return level ? [`WCAG ${level[1]}.${level[2] || '0'} ${level[3]?.toUpperCase()}`] : [];
  });
}

const MAX_PAGES = 50;
const MAX_SNIPPETS = 10;

function placesSection(places: ReadonlyArray<Place>, of: Budget, count: number): AdfNode[] {
  const pages = [...new Set(places.flatMap(({ page }) => page ?? []))];
  const shown = pages.slice(0, of(MAX_PAGES));
  const list = shown.map((page) => link(truncate(page, 300), page.length <= 2_000 ? page : ''));
  if (pages.length > shown.length) list.push(text(`and ${pages.length - shown.length} more`));
  const elements = places.filter(({ details }) => details.selector || details.snippet);
  const elementsShown = elements.slice(0, of(MAX_SNIPPETS));
  return [
    ...(list.length > 0 ? [heading(pages.length === 1 ? 'Page' : `Pages (${pages.length})`), bulletList(list)] : []),
    ...(elementsShown.length > 0 ? [heading(`Elements (${elements.length})`)] : []),
    ...elementsShown.flatMap(({ details }) => element(details, of)),
    ...(elements.length > elementsShown.length
      ? [paragraph(text(`and ${elements.length - elementsShown.length} more elements`))]
      : []),
    ...(count > places.length ? [paragraph(text(`${count - places.length} more places are listed in Recheck.`))] : []),
  ];
}

function element({ selector, snippet }: OccurrenceDetails, of: Budget): AdfNode[] {
  return [
    ...(selector ? [paragraph(code(truncate(selector, of(500))))] : []),
    ...(snippet ? [codeBlock(truncate(snippet, of(1_500)), 'html')] : []),
  ];
}

function howToFix(details: FindingDetails, places: ReadonlyArray<Place>, of: Budget): AdfNode[] {
  const advice = details.howToFix ?? places.find((place) => place.details.failureSummary)?.details.failureSummary;
  const help = details.helpUrl ? [paragraph(link(details.help ?? 'About this rule', details.helpUrl))] : [];
  if (!advice && help.length === 0) return [];
  return [heading('How to fix'), ...paragraphs(truncate(advice ?? '', of(4_000))), ...help];
}

function failure(details: FindingDetails, places: ReadonlyArray<Place>, of: Budget): AdfNode[] {
  const message = details.message ?? places.find((place) => place.details.message)?.details.message;
  const stack = details.stack ?? places.find((place) => place.details.stack)?.details.stack;
  return [
    ...(message ? [heading('Failure message'), codeBlock(truncate(message, of(4_000)))] : []),
    ...(stack ? [heading('Stack'), codeBlock(truncate(stack, of(8_000)))] : []),
  ];
}

function wayBack({ number }: IssueFinding, url: string | undefined): AdfNode {
  const name = `F-${number}`;
  return paragraph(text('Tracked by Recheck as '), url ? link(name, url) : text(name), text('. '), CLOSING);
}

const CLOSING = text('Moving this issue to Done is taken as a claim: Recheck closes the finding when a re-run passes.');
