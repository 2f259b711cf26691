import { escapeHtml } from '../../http';
import type { AdfMark, AdfNode } from './validate';

/** A document as HTML for the page. Everything from the document is escaped; links are http, https or mailto only. */
export function documentHtml(doc: AdfNode | null): string {
  return doc ? html(doc) : '';
}

const elements: Record<string, string> = {
  paragraph: 'p',
  bulletList: 'ul',
  orderedList: 'ol',
  listItem: 'li',
  blockquote: 'blockquote',
  tableRow: 'tr',
  tableHeader: 'th',
  tableCell: 'td',
};

function html(node: AdfNode): string {
  const inner = () => (node.content ?? []).map(html).join('');
  const element = elements[node.type];
  if (element) return `<${element}>${inner()}</${element}>`;
  switch (node.type) {
    case 'text':
      return (node.marks ?? []).reduce(wrap, escapeHtml(node.text ?? ''));
    case 'hardBreak':
      return '<br>';
    case 'rule':
      return '<hr>';
    case 'heading':
      // All on one level, below the page's own: a document may skip levels, a page may not.
      return `<h4 class="level-${Number(node.attrs?.level)}">${inner()}</h4>`;
    case 'codeBlock':
      return `<pre tabindex="0"><code>${inner()}</code></pre>`;
    case 'panel':
      return `<div class="panel panel-${escapeHtml(String(node.attrs?.panelType ?? 'info'))}">${inner()}</div>`;
    case 'table':
      return `<div class="table" tabindex="0"><table>${inner()}</table></div>`;
    case 'expand':
      return `<details><summary>${escapeHtml(String(node.attrs?.title ?? 'More'))}</summary>${inner()}</details>`;
    case 'mention':
      return `<span class="mention">${escapeHtml(String(node.attrs?.text ?? node.attrs?.id ?? ''))}</span>`;
    case 'emoji':
      return escapeHtml(String(node.attrs?.text ?? node.attrs?.shortName ?? ''));
    case 'status':
      return `<span class="tag">${escapeHtml(String(node.attrs?.text ?? ''))}</span>`;
    case 'inlineCard':
      return link({ href: String(node.attrs?.url ?? ''), inner: escapeHtml(String(node.attrs?.url ?? '')) });
    default:
      return inner();
  }
}

function wrap(inner: string, mark: AdfMark): string {
  switch (mark.type) {
    case 'strong':
      return `<strong>${inner}</strong>`;
    case 'em':
      return `<em>${inner}</em>`;
    case 'code':
      return `<code>${inner}</code>`;
    case 'strike':
      return `<s>${inner}</s>`;
    case 'underline':
      return `<u>${inner}</u>`;
    case 'link':
      return link({ href: String(mark.attrs?.href ?? ''), inner });
    default:
      return inner;
  }
}

function link({ href, inner }: { href: string; inner: string }): string {
  if (!URL.canParse(href)) return inner;
  const safe = ['http:', 'https:', 'mailto:'].includes(new URL(href).protocol);
  return safe ? `<a href="${escapeHtml(href)}" rel="noopener noreferrer" target="_blank">${inner}</a>` : inner;
}
