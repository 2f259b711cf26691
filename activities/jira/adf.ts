// Builders for the Atlassian Document Format, the only form of rich text that Jira's API v3 takes.

export interface AdfMark {
  readonly type: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
}

export interface AdfNode {
  readonly type: string;
  readonly text?: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly marks?: ReadonlyArray<AdfMark>;
  readonly content?: ReadonlyArray<AdfNode>;
}

export interface AdfDocument extends AdfNode {
  readonly type: 'doc';
  readonly version: 1;
  readonly content: ReadonlyArray<AdfNode>;
}

/** Jira's limit of one text field, in characters. */
export const TEXT_LIMIT = 32_767;

/** A document of blocks; a document without any is not valid, so it gets an empty paragraph. */
export function doc(blocks: ReadonlyArray<AdfNode>): AdfDocument {
  return { type: 'doc', version: 1, content: blocks.length > 0 ? blocks : [{ type: 'paragraph', content: [] }] };
}

/** A text node, or none: Jira refuses empty ones. */
export function text(value: string, ...marks: AdfMark[]): AdfNode[] {
  const clean = cleanText(value);
  if (clean === '') return [];
  return [{ type: 'text', text: clean, ...(marks.length > 0 ? { marks } : {}) }];
}

/** Bold text. */
export function strong(value: string): AdfNode[] {
  return text(value, { type: 'strong' });
}

/** Text in a fixed-width face. */
export function code(value: string): AdfNode[] {
  return text(value, { type: 'code' });
}

/** A link; plain text where the address is no web address. */
export function link(value: string, href: string): AdfNode[] {
  const web = URL.canParse(href) && ['http:', 'https:'].includes(new URL(href).protocol);
  return web ? text(value, { type: 'link', attrs: { href } }) : text(value);
}

/** A paragraph of inline nodes. */
export function paragraph(...inline: AdfNode[][]): AdfNode {
  return { type: 'paragraph', content: inline.flat() };
}

/** A heading of level 3, the one that suits an issue's description. */
export function heading(value: string): AdfNode {
  return { type: 'heading', attrs: { level: 3 }, content: text(value) };
}

/** A bulleted list, one paragraph per item. */
export function bulletList(items: ReadonlyArray<AdfNode[]>): AdfNode {
  return {
    type: 'bulletList',
    content: items.map((inline) => ({ type: 'listItem', content: [paragraph(inline)] })),
  };
}

/** A block of code, verbatim. */
export function codeBlock(value: string, language?: string): AdfNode {
  return { type: 'codeBlock', ...(language ? { attrs: { language } } : {}), content: text(value) };
}

/** Paragraphs from text with line breaks; empty lines part paragraphs. */
export function paragraphs(value: string): AdfNode[] {
  return cleanText(value)
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => paragraph(withBreaks(part)));
}

function withBreaks(value: string): AdfNode[] {
  return value
    .split('\n')
    .flatMap((line, index) => (index === 0 ? text(line) : [{ type: 'hardBreak' }, ...text(line)]));
}

/**
 * The length by which a document is held against Jira's limit: that of its JSON, which is never less than that of the
 * text in it.
 */
export function documentLength(document: AdfDocument): number {
  return JSON.stringify(document).length;
}

// The escape sequences that colour a terminal, as test runners print them.
const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Removes what Jira refuses or shows as rubbish: terminal colours, control characters, halves of surrogate pairs. */
export function cleanText(value: string): string {
  return value
    .replaceAll(ANSI, '')
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\P{Cc}\n\t]/gu, '')
    .replaceAll(/\p{Cs}/gu, '�');
}

/** At most `limit` characters; a longer text ends with an ellipsis. Never cuts a surrogate pair. */
export function truncate(value: string, limit: number): string {
  if (value.length <= limit) return value;
  const end = limit - 1;
  const splitsPair = /[\uD800-\uDBFF]/.test(value.charAt(end - 1));
  return `${value.slice(0, splitsPair ? end - 1 : end)}…`;
}
