import type { ConnectionRow } from '../../prisma/connections';
import type { SourceRow } from '../../prisma/sources';
import { placeholders } from '../../workflows/rules/issue-template';
import { defaultPriorities } from '../../workflows/rules/vocabulary';
import type { OperationDeps } from './deps';
import { findingByName } from './findings';
import { demand, uuid } from './guard';
import { Refusal } from './refusal';
import { warningsOf } from './rule-keeping';
import { jiraTrouble, refuseBadTemplate } from './rule-refusals';
import { ruleView } from './rules';
import { sourceByKey } from './sources';
import type { Caller, Operations, RuleForm } from './types';

type RuleFormOperations = Pick<Operations, 'ruleForm' | 'previewIssue'>;

/** What a form for a sync rule offers, and what issues a rule would make. */
export function createRuleFormOperations(deps: OperationDeps): RuleFormOperations {
  const { db, jira, baseUrl } = deps;

  return {
    async ruleForm(caller, sourceKey, query = {}) {
      demand(caller, 'read');
      const source = await sourceByKey(db, caller, sourceKey);
      const rows = await db.connections.list(caller.organisationId, { limit: 200 });
      const connectionId = query.connection === undefined ? source.connectionId : uuid(query.connection, 'Connection');
      const { rule } = source;
      const choices = await choicesOf(
        deps,
        rows.find(({ id }) => id === connectionId),
        {
          projectKey: query.projectKey ?? rule.projectKey,
          issueType: query.issueType ?? rule.issueType,
        },
      );
      const { key, name, kind } = source;
      return {
        source: { key, name, kind },
        rule: ruleView(source, warningsOf(source)),
        connections: rows.map(({ id, siteUrl, status, projectKey }) => ({
          ...{ id, name: new URL(siteUrl).host, status, projectKey },
        })),
        placeholders: Object.entries(placeholders).map(([each, meaning]) => ({ name: each, meaning })),
        ...choices,
        required: choices.required.map((field) => ({ ...field, value: rule.template?.fields[field.id] ?? null })),
      };
    },

    async previewIssue(caller, sourceKey, request = {}) {
      demand(caller, 'read');
      const source = await sourceByKey(db, caller, sourceKey);
      const template = request.template ?? source.rule.template;
      refuseBadTemplate(template);
      const { id, finding, occurrences, occurrenceCount } = await sampleOf(deps, {
        caller,
        source,
        id: request.finding,
      });
      const preview = jira.issuePreview({
        finding,
        ...{ occurrences, occurrenceCount, source },
        rule: { labels: source.rule.labels, template },
        findingUrl: `${baseUrl}/findings/F-${finding.number}`,
      });
      const { priorities, component } = source.rule;
      return {
        finding: id,
        ...preview,
        priority: priorities[finding.severity] ?? defaultPriorities[finding.severity],
        component,
        fields: template?.fields ?? {},
      };
    },
  };
}

type Choices = Pick<RuleForm, 'projects' | 'issueTypes' | 'priorities' | 'components' | 'problem'> & {
  required: Omit<RuleForm['required'][number], 'value'>[];
};

/** What Jira offers; where it cannot be asked, nothing and the reason. */
async function choicesOf(
  { jira }: OperationDeps,
  connection: ConnectionRow | undefined,
  rule: { projectKey: string | null; issueType: string },
): Promise<Choices> {
  const nothing = { projects: [], issueTypes: [], priorities: [], components: [], required: [] };
  if (!connection) return { ...nothing, problem: 'The source has no Jira connection. Choose one.' };
  try {
    const { problems, ...choices } = await jira.ruleChoices(connection.id, rule);
    return { ...choices, problem: problems[0]?.message ?? null };
  } catch (error) {
    const trouble = jiraTrouble(error);
    if (!(trouble instanceof Refusal)) throw trouble;
    return { ...nothing, problem: trouble.message };
  }
}

type Sample = Pick<Parameters<OperationDeps['jira']['issuePreview']>[0], 'occurrences' | 'occurrenceCount'> & {
  id: string | null;
  finding: Pick<Awaited<ReturnType<typeof findingByName>>, 'number' | 'title' | 'rule' | 'severity'> & {
    details: object;
  };
};

async function sampleOf(
  { db }: OperationDeps,
  { caller, source, id }: { caller: Caller; source: SourceRow; id: string | undefined },
): Promise<Sample> {
  const newest = async () =>
    (await db.findings.list(caller.organisationId, { sourceId: source.id, after: 0, limit: 1 }))[0];
  const row = id === undefined ? await newest() : await findingByName(db, caller, id);
  if (!row) return example;
  if (row.sourceId !== source.id) {
    throw new Refusal('not_found', 'finding_not_found', `${id} is of another source. Name one of "${source.key}".`);
  }
  const [places, details] = await Promise.all([db.findings.occurrences(row.id, 50), db.findings.details(row.id)]);
  return { id: `F-${row.number}`, finding: { ...row, details }, occurrences: places, occurrenceCount: row.occurrences };
}

const example: Sample = {
  id: null,
  finding: {
    number: 1,
    title: 'Images must have alternate text',
    rule: 'image-alt',
    severity: 'critical',
    details: { help: 'Images must have alternate text', tags: ['wcag2a', 'wcag111'] },
  },
  occurrences: [
    { page: 'https://shop.example/cart', details: { selector: 'img.logo', snippet: '<img class="logo" src="l.svg">' } },
  ],
  occurrenceCount: 1,
};
