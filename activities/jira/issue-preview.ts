import type { AdfNode } from './adf';
import { type IssueContentInput, issueFields } from './issue-content';

/** An issue as it would be made, for people to read. `warnings`: what is cut, because Jira takes no more. */
export type IssuePreview = {
  summary: string;
  description: string;
  labels: string[];
  fields: Record<string, unknown>;
  warnings: string[];
};

/** What an issue would say, without making it; the description as plain text. The marker is left out. */
export function issuePreview(
  input: Omit<IssueContentInput, 'projectId' | 'issueTypeId' | 'marker' | 'createFields'>,
): IssuePreview {
  const { fields, cut } = issueFields({ ...input, projectId: '', issueTypeId: '', marker: MARKER });
  const { project: _p, issuetype: _t, summary, description, labels, ...others } = fields;
  return {
    summary: String(summary),
    description: isNode(description) ? plainText(description).trim() : '',
    labels: (Array.isArray(labels) ? labels.map(String) : []).filter((label) => label !== MARKER),
    fields: others,
    warnings: cut.map((field) => `The ${field} is longer than ${LIMITS[field]}, so it is cut: Jira takes no more.`),
  };
}

const LIMITS = { summary: '255 characters', description: '32,767 characters' };

const MARKER = 'recheck-preview';
const BLOCKS = new Set(['paragraph', 'heading', 'codeBlock']);

function plainText(node: AdfNode): string {
  if (node.type === 'hardBreak') return '\n';
  const inner = (node.content ?? []).map(plainText).join('');
  if (node.type === 'listItem') return `- ${inner.trim()}\n`;
  if (node.type === 'bulletList') return `${inner}\n`;
  if (BLOCKS.has(node.type)) return `${inner}\n\n`;
  return node.text ?? inner;
}

function isNode(value: unknown): value is AdfNode {
  return typeof value === 'object' && value !== null && 'type' in value;
}
