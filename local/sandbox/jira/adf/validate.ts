import { isObject } from '../answer';

export interface AdfMark {
  type: string;
  attrs?: Record<string, unknown>;
}

export interface AdfNode {
  type: string;
  text?: string;
  attrs?: Record<string, unknown>;
  content?: AdfNode[];
  marks?: AdfMark[];
}

const blocks = [
  'paragraph',
  'heading',
  'bulletList',
  'orderedList',
  'codeBlock',
  'blockquote',
  'panel',
  'rule',
  'table',
  'expand',
  'mediaSingle',
  'mediaGroup',
];
const inlines = ['text', 'hardBreak', 'mention', 'emoji', 'inlineCard', 'date', 'status'];
const marks = [
  'strong',
  'em',
  'code',
  'link',
  'strike',
  'underline',
  'subsup',
  'textColor',
  'backgroundColor',
  'annotation',
];
const inItems = ['paragraph', 'bulletList', 'orderedList', 'codeBlock', 'mediaSingle'];

const children: Record<string, readonly string[]> = {
  doc: blocks,
  paragraph: inlines,
  heading: inlines,
  codeBlock: ['text'],
  bulletList: ['listItem'],
  orderedList: ['listItem'],
  listItem: inItems,
  blockquote: inItems,
  panel: ['paragraph', 'heading', 'bulletList', 'orderedList', 'codeBlock', 'rule'],
  expand: blocks,
  table: ['tableRow'],
  tableRow: ['tableHeader', 'tableCell'],
  tableHeader: blocks.filter((block) => block !== 'table'),
  tableCell: blocks.filter((block) => block !== 'table'),
  mediaSingle: ['media'],
  mediaGroup: ['media'],
};
const mustHaveContent = ['bulletList', 'orderedList', 'listItem', 'table', 'tableRow', 'blockquote', 'panel', 'expand'];

/** Whether a value claims to be an Atlassian document at all; Jira answers differently where it does not. */
export function isDocument(value: unknown): value is AdfNode {
  return isObject(value) && value.type === 'doc' && value.version === 1 && Array.isArray(value.content);
}

/** What is wrong inside a document, with the place of the first mistake; undefined for a valid one. */
export function documentMistake(doc: AdfNode): string | undefined {
  return contentMistake(doc, 'doc');
}

function contentMistake(node: AdfNode, path: string): string | undefined {
  const allowed = children[node.type];
  if (!allowed) return node.content === undefined ? undefined : `${path}: ${node.type} takes no content`;
  if (node.content !== undefined && !Array.isArray(node.content)) return `${path}.content is not an array`;
  if (mustHaveContent.includes(node.type) && !node.content?.length) return `${path}: ${node.type} is empty`;
  for (const [index, child] of (node.content ?? []).entries()) {
    const mistake = nodeMistake(child, { path: `${path}.content[${index}]`, parent: node.type, allowed });
    if (mistake) return mistake;
  }
  return undefined;
}

function nodeMistake(
  node: unknown,
  { path, parent, allowed }: { path: string; parent: string; allowed: readonly string[] },
): string | undefined {
  if (!isObject(node) || typeof node.type !== 'string') return `${path} is not a node`;
  if (!allowed.includes(node.type)) return `${path}: ${node.type} is not allowed in ${parent}`;
  const child = node as unknown as AdfNode;
  return ownMistake(child, path) ?? marksMistake(child, { path, parent }) ?? contentMistake(child, path);
}

function ownMistake(node: AdfNode, path: string): string | undefined {
  if (node.type === 'text') {
    return typeof node.text === 'string' && node.text !== '' ? undefined : `${path}: text must not be empty`;
  }
  if (node.type === 'heading') {
    const level = node.attrs?.level;
    return typeof level === 'number' && level >= 1 && level <= 6 ? undefined : `${path}: heading level must be 1 to 6`;
  }
  if (node.type === 'panel') {
    const known = ['info', 'note', 'warning', 'success', 'error'].includes(String(node.attrs?.panelType));
    return known ? undefined : `${path}: panelType must be info, note, warning, success or error`;
  }
  if (node.type === 'mention')
    return typeof node.attrs?.id === 'string' ? undefined : `${path}: mention needs attrs.id`;
  return undefined;
}

function marksMistake(node: AdfNode, { path, parent }: { path: string; parent: string }): string | undefined {
  const list = node.marks ?? [];
  if (!Array.isArray(list)) return `${path}.marks is not an array`;
  if (list.length > 0 && parent === 'codeBlock') return `${path}: no marks inside a codeBlock`;
  const names = list.map((mark) => mark?.type);
  const unknown = names.find((name) => !marks.includes(name));
  if (unknown !== undefined) return `${path}: unknown mark ${unknown}`;
  const beside = names.find((name) => name !== 'code' && name !== 'link' && name !== 'annotation');
  if (names.includes('code') && beside !== undefined) return `${path}: mark code does not go with ${beside}`;
  const link = list.find((mark) => mark.type === 'link');
  return link && typeof link.attrs?.href !== 'string' ? `${path}: link needs attrs.href` : undefined;
}
