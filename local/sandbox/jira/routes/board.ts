import { Router } from 'express';
import { z } from 'zod';
import { addComment } from '../additions';
import { JiraProblem, problemAnswer } from '../answer';
import { boardOf, cardDetails } from '../board-view';
import { isDone } from '../catalog';
import { createIssue, deleteIssue, editIssue, moveIssue, transitionIssue } from '../changes';
import { findIssues, type IssueRow } from '../issue-rows';
import type { Jira } from '../jira';
import { getProject, seededAccount } from '../site';

const moveBody = z.object({ to: z.string(), resolution: z.string().nullable().optional() });
const commentBody = z.object({ text: z.string().trim().min(1, 'Write a comment first.') });
const createBody = z.object({
  project: z.string(),
  type: z.string(),
  summary: z
    .string()
    .trim()
    .min(1, 'Give the issue a summary.')
    .max(255)
    .regex(/^[^\n\r]*$/),
});

/**
 * What the board's page calls. It acts as the seeded person without a login, so it is mounted behind `refuseOtherSites`.
 * Its changes are a person's: they stand in the history under that name and fire webhooks.
 */
export function createBoardRouter(jira: Jira): Router {
  const router = Router();
  const actor = seededAccount(jira.site, 'person');

  router.get('/', async (req, res) => {
    res.json(await boardOf(jira, String(req.query.project ?? '')));
  });
  router.get('/events', (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.write('retry: 1000\n\n');
    const tell = (key: string) => res.write(`data: ${JSON.stringify({ key })}\n\n`);
    jira.site.changes.on('change', tell);
    res.on('close', () => jira.site.changes.off('change', tell));
  });
  router.get('/issues/:key', async (req, res) => {
    res.json(await cardDetails(jira, await mustFind(jira, req.params.key)));
  });
  router.post('/issues', async (req, res) => {
    const given = read(createBody, req.body);
    const project = jira.site.projects.find(({ key }) => key === given.project);
    const type = project?.kind.issueTypes.find(({ id, subtask }) => id === given.type && !subtask);
    if (!project || !type) throw new JiraProblem(400, { messages: ['There is no such project or issue type.'] });
    const values = { summary: given.summary };
    const base = { actor, project, typeId: type.id, values, parentId: null, properties: [] };
    const issue = await createIssue(jira, base);
    res.status(201).json({ key: issue.key });
  });
  router.post('/issues/:key/transition', async (req, res) => {
    const { to, resolution } = read(moveBody, req.body);
    const issue = await mustFind(jira, req.params.key);
    const { kind, style } = getProject(jira.site, issue.project_id);
    const transition = kind.transitions.find((candidate) => candidate.to === to);
    if (!transition) throw new JiraProblem(400, { messages: ['There is no such status in this project.'] });
    const chosen = style === 'classic' && isDone(to) ? resolution : undefined;
    await transitionIssue(jira, { actor, issueId: issue.id, transition, resolutionId: chosen });
    res.status(204).end();
  });
  router.post('/issues/:key/resolution', async (req, res) => {
    const { resolution } = read(z.object({ resolution: z.string().nullable() }), req.body);
    const issue = await mustFind(jira, req.params.key);
    await editIssue(jira, { actor, issueId: issue.id, values: { resolutionId: resolution } });
    res.status(204).end();
  });
  router.post('/issues/:key/comment', async (req, res) => {
    const { text } = read(commentBody, req.body);
    const issue = await mustFind(jira, req.params.key);
    await addComment(jira, { actor, issueId: issue.id, body: documentOf(text) });
    res.status(201).end();
  });
  router.post('/issues/:key/move', async (req, res) => {
    const { project: key } = read(z.object({ project: z.string() }), req.body);
    const issue = await mustFind(jira, req.params.key);
    const project = jira.site.projects.find((candidate) => candidate.key === key);
    if (!project || project.id === issue.project_id) {
      throw new JiraProblem(400, { messages: ['Choose another project to move the issue to.'] });
    }
    res.json({ key: (await moveIssue(jira, { actor, issueId: issue.id, project })).key });
  });
  router.delete('/issues/:key', async (req, res) => {
    const issue = await mustFind(jira, req.params.key);
    await deleteIssue(jira, { actor, issueId: issue.id, withSubtasks: true });
    res.status(204).end();
  });
  return router;
}

/** The message of a problem for the page; undefined for what is not one. */
export function problemMessage(error: unknown): { status: number; error: string } | undefined {
  if (error instanceof z.ZodError) return { status: 400, error: z.prettifyError(error) };
  if (!(error instanceof JiraProblem)) return undefined;
  return { status: problemAnswer(error).status, error: error.message };
}

async function mustFind(jira: Jira, key: string): Promise<IssueRow> {
  const [issue] = await findIssues(jira.site.pool, [key]);
  if (issue && jira.site.projects.some(({ id }) => id === issue.project_id)) return issue;
  throw new JiraProblem(404, { messages: [`There is no issue ${key}. It may have been deleted.`] });
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new JiraProblem(400, { messages: parsed.error.issues.map(({ message }) => message) });
}

function documentOf(text: string) {
  const paragraphs = text.split(/\n{2,}/).filter((part) => part.trim() !== '');
  const content = paragraphs.map((part) => ({ type: 'paragraph', content: [{ type: 'text', text: part.trim() }] }));
  return { version: 1, type: 'doc', content };
}
