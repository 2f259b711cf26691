import type { AdfNode } from './validate';

/** A document as plain text, for search and for Jira's limit of 32,767 characters. */
export function documentText(doc: AdfNode | null): string {
  return doc ? render(doc, plain).trim() : '';
}

/** A document in wiki markup: what REST version 2, and with it the webhooks, give for a description. */
export function documentWiki(doc: AdfNode | null): string | null {
  return doc ? render(doc, wiki).trim() : null;
}

/** How each type of node is written; `inner` is what its content became. A type that is missing is its content. */
type Style = Record<string, (node: AdfNode, inner: string) => string>;

const plain: Style = {
  text: (node) => node.text ?? '',
  hardBreak: () => '\n',
  mention: (node) => attribute(node, 'text'),
  emoji: (node) => attribute(node, 'shortName'),
  inlineCard: (node) => attribute(node, 'url'),
  heading: (_node, inner) => `${inner}\n\n`,
  paragraph: (_node, inner) => `${inner}\n\n`,
  codeBlock: (_node, inner) => `${inner}\n\n`,
  listItem: (_node, inner) => `${inner.trim()}\n`,
  bulletList: (_node, inner) => `${inner}\n`,
  orderedList: (_node, inner) => `${inner}\n`,
  rule: () => '\n',
  tableHeader: (_node, inner) => ` ${inner.trim()}`,
  tableCell: (_node, inner) => ` ${inner.trim()}`,
  tableRow: (_node, inner) => `${inner}\n`,
};

const wiki: Style = {
  ...plain,
  text: marked,
  mention: (node) => `[~accountid:${attribute(node, 'id')}]`,
  heading: (node, inner) => `h${attribute(node, 'level')}. ${inner}\n\n`,
  codeBlock: (_node, inner) => `{code}\n${inner}\n{code}\n\n`,
  listItem: (_node, inner) => `* ${inner.trim()}\n`,
  rule: () => '----\n',
  tableHeader: (_node, inner) => `||${inner.trim()}`,
  tableCell: (_node, inner) => `|${inner.trim()}`,
  tableRow: (_node, inner) => `${inner}|\n`,
};

function render(node: AdfNode, style: Style): string {
  const inner = (node.content ?? []).map((child) => render(child, style)).join('');
  return style[node.type]?.(node, inner) ?? inner;
}

function attribute(node: AdfNode, name: string): string {
  return String(node.attrs?.[name] ?? '');
}

function marked(node: AdfNode): string {
  let text = node.text ?? '';
  for (const mark of node.marks ?? []) {
    if (mark.type === 'strong') text = `*${text}*`;
    if (mark.type === 'em') text = `_${text}_`;
    if (mark.type === 'code') text = `{{${text}}}`;
    if (mark.type === 'link') text = `[${text}|${String(mark.attrs?.href)}]`;
  }
  return text;
}
