import type { Target } from '../../workflows/rules/element-key';
import { targetSelector } from '../../workflows/rules/element-key';
import { asObject, type Json, listOf, stringOf } from './json-object';
import { cleanText, lengths } from './text';

/** What is kept of an element that broke a rule, whichever reporter wrote it. */
export type AxeNode = { selector: string; html: string; impact: string | null; howToFix: string };

/**
 * One element of a rule's result. The `raw` reporter keeps selector and snippet under `node`, the others call them
 * `target` and `html` (axe-core doc/API.md, "results").
 */
export function axeNode(value: unknown): AxeNode {
  const node = asObject(value);
  const raw = node && Object.hasOwn(node, 'node') ? asObject(node.node) : null;
  const target = raw ? listOf(raw, 'selector') : listOf(node, 'target');
  return {
    selector: cleanText(targetSelector(targetOf(target)), lengths.line),
    html: cleanText(raw ? stringOf(raw, 'source') : stringOf(node, 'html'), lengths.snippet),
    impact: stringOf(node, 'impact'),
    howToFix: howToFix(node),
  };
}

function targetOf(parts: readonly unknown[]): Target {
  return parts.flatMap((part): (string | string[])[] => {
    if (typeof part === 'string') return [part];
    if (Array.isArray(part)) return [part.filter((inner) => typeof inner === 'string')];
    return [];
  });
}

/**
 * Written from the checks and not from `failureSummary`, which only the `v1` reporter adds, so that every shape tells
 * the same. The words are axe's own.
 */
function howToFix(node: Json | null): string {
  const all = [...messages(node, 'none'), ...messages(node, 'all')];
  const any = messages(node, 'any');
  const parts: string[] = [];
  if (all.length > 0) parts.push(`Fix all of the following:\n${all.join('\n')}`);
  if (any.length > 0) parts.push(`Fix any of the following:\n${any.join('\n')}`);
  return cleanText(parts.length > 0 ? parts.join('\n\n') : stringOf(node, 'failureSummary'), lengths.snippet);
}

function messages(node: Json | null, list: 'any' | 'all' | 'none'): string[] {
  return listOf(node, list).flatMap((check) => {
    const message = stringOf(asObject(check), 'message');
    return message ? [`- ${message}`] : [];
  });
}
