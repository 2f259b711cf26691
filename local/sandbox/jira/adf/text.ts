import type { AdfNode } from './validate';

/** A document as plain text, for search and for Jira's limit of 32,767 characters. */
export function documentText(doc: AdfNode | null): string {
  return doc ? wiki(doc, false).trim() : '';
}

/** A document in wiki markup: what REST version 2, and with it the webhooks, give for a description. */
export function documentWiki(doc: AdfNode | null): string | null {
  return doc ? wiki(doc, true).trim() : null;
}

function wiki(node: AdfNode, markup: boolean): string {
  const inner = () => (node.content ?? []).map((child) => wiki(child, markup)).join('');
  switch (node.type) {
    case 'text':
      return markup ? marked(node) : (node.text ?? '');
    case 'hardBreak':
      return '\n';
    case 'mention':
      return markup ? `[~accountid:${String(node.attrs?.id)}]` : String(node.attrs?.text ?? '');
    case 'emoji':
      return String(node.attrs?.shortName ?? '');
    case 'inlineCard':
      return String(node.attrs?.url ?? '');
    case 'heading':
      return `${markup ? `h${String(node.attrs?.level)}. ` : ''}${inner()}\n\n`;
    case 'paragraph':
      return `${inner()}\n\n`;
    case 'codeBlock':
      return markup ? `{code}\n${inner()}\n{code}\n\n` : `${inner()}\n\n`;
    case 'listItem':
      return `${markup ? '* ' : ''}${inner().trim()}\n`;
    case 'bulletList':
    case 'orderedList':
      return `${inner()}\n`;
    case 'rule':
      return markup ? '----\n' : '\n';
    case 'tableHeader':
      return `${markup ? '||' : ' '}${inner().trim()}`;
    case 'tableCell':
      return `${markup ? '|' : ' '}${inner().trim()}`;
    case 'tableRow':
      return `${inner()}${markup ? '|' : ''}\n`;
    default:
      return inner();
  }
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
