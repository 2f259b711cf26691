import type { RuleCheck } from '../../activities/jira/rule-check';
import { templateMistakes } from '../../workflows/rules/issue-template';
import type { IssueTemplate, SyncRule } from '../../workflows/rules/vocabulary';
import { Refusal } from './refusal';

/** Refuses a template whose placeholders nobody can fill in. */
export function refuseBadTemplate(template: IssueTemplate | undefined): void {
  const errors = templateMistakes(template ?? {});
  if (errors.length === 0) return;
  throw new Refusal('invalid', 'invalid_template', errors.map(({ message }) => message).join(' '), {
    details: { errors },
  });
}

/** Refuses what a saved rule may not say. A new source may: it waits for its project key, and warns of that (R2). */
export function refuseUnfitRule({ template, enabled, projectKey }: SyncRule): void {
  refuseBadTemplate(template);
  if (!enabled || projectKey) return;
  throw new Refusal(
    'invalid',
    'project_key_missing',
    'An enabled source needs a Jira project key, or nothing could be pushed. Give projectKey too.',
  );
}

/** Refuses a rule that Jira would refuse issues for, with everything that stands against it at once. */
export function refuseWhatJiraRefuses({ problems, missing }: RuleCheck): void {
  if (problems.length > 0) {
    const detail = problems.map(({ message }) => message).join(' ');
    throw new Refusal('invalid', 'rule_does_not_fit_jira', detail, { details: { errors: problems } });
  }
  if (missing.length === 0) return;
  const names = missing.map(({ id, name, allowedValues }) => {
    const values = allowedValues.slice(0, 20).map((value) => `${value.name} (id ${value.id})`);
    return `${name} (${id})${values.length > 0 ? `, one of: ${values.join(', ')}` : ''}`;
  });
  const required = `Jira requires fields that have no default: ${names.join('; ')}.`;
  throw new Refusal(
    'invalid',
    'required_fields_missing',
    {
      http: `${required} Give their values once in template.fields, by id; they are sent with every issue.`,
      slack: `${required} Give their values once in the sync rule (\`/recheck rules SOURCE\`); they are sent with every issue.`,
    },
    { details: { missing } },
  );
}

/** What Jira's silence or refusal means for who saves a rule; any other error stays as it is. */
export function jiraTrouble(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause.name !== 'JiraError' || !('kind' in cause)) return cause;
  const message = `Jira could not be asked whether the rule fits: ${cause.message}`;
  return cause.kind === 'auth' || cause.kind === 'scope' || cause.kind === 'forbidden'
    ? new Refusal('conflict', 'connection_broken', `${message} Nothing was saved.`, { cause })
    : new Refusal('unavailable', 'jira_unavailable', `${message} Nothing was saved; try again in a minute.`, { cause });
}
