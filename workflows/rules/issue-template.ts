// Issue templates: texts with placeholders in braces. One table says what there is to fill in.

import type { IssueTemplate } from './vocabulary';

/** What a placeholder stands for, as the table describes it and as forms show it. */
export const placeholders = {
  title: 'the title of the finding',
  rule: "the axe rule, or the test's full name",
  severity: 'critical, serious, moderate or minor',
  source: 'the name of the source',
  finding: 'the short number in Recheck, such as F-12',
  page: 'the first page (or test file) where it was seen',
  pages: 'all pages where it was seen, at most 50',
  pageCount: 'on how many pages it was seen',
  occurrences: 'at how many places it was seen',
  wcag: 'the WCAG criteria, where the report names them',
  help: 'what the tool says of the rule, in one line',
  helpUrl: 'where the tool explains the rule',
  selector: 'the first element',
  snippet: 'the HTML of the first element',
  message: 'the failure message',
  howToFix: "the tool's advice",
  note: 'the review note of whoever pushes it',
  link: 'the address of the finding in Recheck',
} as const;
export type Placeholder = keyof typeof placeholders;
export type PlaceholderValues = Record<Placeholder, string>;

/** Stands on a line of its own in a description, for all that Recheck would say without a template. */
export const detailsPlaceholder = 'details';

const PLACEHOLDER = /\{\{([A-Za-z]\w*)\}\}|\{([A-Za-z]\w*)\}/g;

/** Fills the placeholders of a text in. A name in two pairs of braces stays, in one pair: `{{title}}` is `{title}`. */
export function fillTemplate(template: string, values: PlaceholderValues): string {
  return template.replace(PLACEHOLDER, (whole: string, literal: string | undefined, name: string | undefined) => {
    if (literal !== undefined) return `{${literal}}`;
    return isPlaceholder(name) ? values[name] : whole;
  });
}

/** The description's parts in order: texts still to be filled in, and null where the standard details stand. */
export function descriptionParts(template: string): (string | null)[] {
  const parts = template.split(/^[ \t]*\{details\}[ \t]*$/m);
  return parts.flatMap((part, index) => (index === 0 ? [part] : [null, part]));
}

export type TemplateMistake = { field: 'template.summary' | 'template.description'; message: string };

/** What cannot be filled in, with the names that can. */
export function templateMistakes({ summary = '', description = '' }: Partial<IssueTemplate>): TemplateMistake[] {
  const parts = descriptionParts(description);
  const withoutDetails = parts.filter((part) => part !== null);
  return [
    ...mistakesOf('template.summary', [summary]),
    ...mistakesOf('template.description', withoutDetails),
    ...(summary.trim() === '' && summary !== ''
      ? [{ field: 'template.summary' as const, message: 'The summary is empty. Leave it out to use the title.' }]
      : []),
    ...(parts.length - withoutDetails.length > 1
      ? [{ field: 'template.description' as const, message: 'The placeholder {details} stands there once at most.' }]
      : []),
  ];
}

function mistakesOf(field: TemplateMistake['field'], texts: string[]): TemplateMistake[] {
  const names = texts.flatMap((text) => [...text.matchAll(PLACEHOLDER)].flatMap((match) => match[2] ?? []));
  const unknown = [...new Set(names)].filter((name) => !isPlaceholder(name));
  return unknown.map((name) => ({ field, message: mistake(field, name) }));
}

function mistake(field: TemplateMistake['field'], name: string): string {
  if (name === detailsPlaceholder && field === 'template.description')
    return 'The placeholder {details} stands on a line of its own. Move it there.';
  const known = Object.keys(placeholders).map((each) => `{${each}}`);
  if (field === 'template.description') known.push('{details}');
  return `There is no placeholder {${name}}. Known are ${known.join(', ')}; {{${name}}} writes the word in braces.`;
}

function isPlaceholder(name: string | undefined): name is Placeholder {
  return name !== undefined && Object.hasOwn(placeholders, name);
}
