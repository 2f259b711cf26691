import type { Project } from '../site';

export interface JqlContext {
  projects: Project[];
  accountId: string | null;
  timeZone: string;
  /** Collects the values of the statement's placeholders. */
  parameters: unknown[];
}

/** Adds a value to the statement and answers its placeholder. */
export function placeholder(context: JqlContext, value: unknown): string {
  context.parameters.push(value);
  return `$${context.parameters.length}`;
}
