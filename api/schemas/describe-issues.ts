import type { core } from 'zod';
import { fieldName } from '../operations/fit-input';

export type FieldProblem = { field: string; message: string };

/** What is wrong with each field, as cause and cure. Never repeats a value: it may be a secret. */
export function describeIssues(issues: readonly core.$ZodIssue[]): FieldProblem[] {
  return issues.flatMap((issue) => describe(issue, []));
}

function describe(issue: core.$ZodIssue, parents: readonly PropertyKey[]): FieldProblem[] {
  const path = [...parents, ...issue.path];
  if (issue.code === 'invalid_union') {
    const branch = closestBranch(issue.errors);
    if (branch) return branch.flatMap((inner) => describe(inner, path));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: fieldName([...path, key]),
      message: 'This field is not known here. Check its spelling, or leave it out.',
    }));
  }
  return [{ field: fieldName(path), message: sentence(issue) }];
}

/** Of a union: the branch that matched the type of the value, where the others did not even do that. */
function closestBranch(branches: readonly (readonly core.$ZodIssue[])[]): readonly core.$ZodIssue[] | undefined {
  return branches.find((branch) => branch.some((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'));
}

function sentence(issue: core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? `This field is missing. Give ${aOf(issue.expected)}.`
        : `This must be ${aOf(issue.expected)}.`;
    case 'invalid_value':
      return `This must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}.`;
    case 'too_small':
      return `This must be at least ${issue.minimum}${unit(issue.origin)}.`;
    case 'too_big':
      return `This must be at most ${issue.maximum}${unit(issue.origin)}.`;
    default:
      return /[.!?]$/.test(issue.message) ? issue.message : `${issue.message}.`;
  }
}

const units: Record<string, string> = { string: ' characters long', array: ' entries long' };
const unit = (origin: string) => units[origin] ?? '';

const nouns: Record<string, string> = { object: 'an object', array: 'an array', int: 'a whole number' };
const aOf = (expected: string) => nouns[expected] ?? `a ${expected}`;
