import { Router } from 'express';
import { z } from 'zod';
import { visibleIssues } from '../access';
import { deleteIssue, moveIssue } from '../changes';
import { type Fault, faultSpec } from '../faults';
import type { Jira } from '../jira';
import { changeSettings, plainSettings, seededAccount } from '../site';

// What the sandbox has beyond Jira: faults, the request log, counts, and project settings. For tests and for the curious.

const settings = z.strictObject({
  hiddenFields: z.array(z.string()).optional(),
  requiredFields: z.array(z.string()).optional(),
  components: z.array(z.string()).optional(),
  invisible: z.boolean().optional(),
  denied: z.array(z.string()).optional(),
});

/** The routes below `/sandbox` that steer and watch; they take no credentials, because only this machine reaches them. */
export function createControlRouter(jiras: readonly Jira[]): Router {
  const router = Router();
  const [first] = jiras;
  if (!first) return router;
  addFaultRoutes(router, first);
  addWatchRoutes(router, first);
  addPointRoutes(router, first);
  addSettingsRoutes(router, jiras);
  addIssueRoutes(router, jiras);
  router.post('/reset', async (_req, res) => {
    await reset(first, jiras);
    res.json({ ok: true });
  });
  return router;
}

function addFaultRoutes(router: Router, { faults }: Jira): void {
  router.get('/faults', (_req, res) => {
    res.json({ items: faults.list().map(faultView) });
  });
  router.post('/faults', async (req, res) => {
    const parsed = faultSpec.safeParse(req.body);
    if (!parsed.success) {
      res.status(400).json({ error: z.prettifyError(parsed.error) });
      return;
    }
    res.status(201).json(faultView(await faults.add(parsed.data)));
  });
  router.delete('/faults', async (_req, res) => {
    await faults.remove();
    res.status(204).end();
  });
  router.delete('/faults/:id', async (req, res) => {
    await faults.remove(req.params.id);
    res.status(204).end();
  });
  router.post('/faults/release', (_req, res) => {
    faults.release();
    res.status(204).end();
  });
  router.post('/faults/:id/release', (req, res) => {
    faults.release(req.params.id);
    res.status(204).end();
  });
}

function faultView({ id, spec, remaining, hits, waiting }: Fault) {
  return { id, ...spec, remaining, hits, waiting };
}

function addWatchRoutes(router: Router, { site, requests }: Jira): void {
  router.get('/requests', (req, res) => {
    const since = typeof req.query.since === 'string' ? req.query.since : undefined;
    res.json({ items: requests.since(since) });
  });
  router.get('/issues', async (req, res) => {
    const marker = text(req.query.marker);
    const prefix = text(req.query.markerPrefix);
    const { rows } = await site.pool.query<{ id: string; key: string; labels: string[] }>(
      `select id, key, labels from jira.issues
       where ($1 = '' or $1 = any(labels) or strpos(description_text, $1) > 0)
         and ($2 = '' or exists (select from unnest(labels) as label where starts_with(label, $2)))
       order by id`,
      [marker, prefix],
    );
    const labels = rows.flatMap((row) => row.labels).filter((label) => label.startsWith(prefix));
    const byLabel: Record<string, number> = {};
    for (const label of labels) byLabel[label] = (byLabel[label] ?? 0) + 1;
    res.json({ count: rows.length, byLabel, issues: rows });
  });
  router.get('/deliveries', async (req, res) => {
    const { rows } = await site.pool.query(
      `select id, webhook_id as "webhookId", dynamic_id as "dynamicId", identifier, event, state, attempts, last_status as "lastStatus",
              last_error as "lastError", created_at as "createdAt", next_at as "nextAt"
       from jira.deliveries where $1 = '' or state = $1 order by id desc limit 1000`,
      [text(req.query.state)],
    );
    res.json({ items: rows });
  });
}

function addPointRoutes(router: Router, { points }: Jira): void {
  router.get('/points', (_req, res) => {
    const items = points.list();
    res.json({ total: items.reduce((sum, item) => sum + item.points, 0), items });
  });
  router.post('/points/reset', (_req, res) => {
    points.reset();
    res.status(204).end();
  });
}

/** What Jira's REST API cannot do, and what it can but only for who may: moving and deleting, as the person. */
function addIssueRoutes(router: Router, jiras: readonly Jira[]): void {
  const find = async (key: string) => {
    for (const jira of jiras) {
      const [issue] = await visibleIssues(jira, { account: seededAccount(jira.site, 'person'), idsOrKeys: [key] });
      if (issue) return { jira, issue, actor: seededAccount(jira.site, 'person') };
    }
    return undefined;
  };
  router.post('/issues/:key/move', async (req, res) => {
    const found = await find(req.params.key);
    const wanted: unknown = req.body?.project;
    const project = found?.jira.site.projects.find(({ key }) => key === wanted);
    if (!found || !project || project.id === found.issue.project_id) {
      res.status(404).json({ error: 'There is no such issue, or no such other project on its site.' });
      return;
    }
    const { id, key } = await moveIssue(found.jira, { actor: found.actor, issueId: found.issue.id, project });
    res.json({ id, key });
  });
  router.delete('/issues/:key', async (req, res) => {
    const found = await find(req.params.key);
    if (found) await deleteIssue(found.jira, { actor: found.actor, issueId: found.issue.id, withSubtasks: true });
    res.status(found ? 204 : 404).end();
  });
}

function addSettingsRoutes(router: Router, jiras: readonly Jira[]): void {
  const find = (wanted: string) =>
    jiras
      .flatMap(({ site }) => site.projects.map((project) => ({ site, project })))
      .find(({ project }) => project.key === wanted);
  router
    .route('/projects/:key')
    .get((req, res) => {
      const project = find(req.params.key)?.project;
      res.status(project ? 200 : 404).json(project?.settings ?? { error: 'There is no such project.' });
    })
    .put(async (req, res) => {
      const found = find(req.params.key);
      const parsed = settings.safeParse(req.body);
      if (!found) res.status(404).json({ error: 'There is no such project.' });
      else if (!parsed.success) res.status(400).json({ error: z.prettifyError(parsed.error) });
      else res.json(await changeSettings(found.site, found.project, parsed.data));
    });
}

// Accounts, tokens and webhooks stay, and numbers go on counting: an issue id never means two issues.
async function reset({ site, faults, requests, points, oauth }: Jira, jiras: readonly Jira[]): Promise<void> {
  await faults.remove();
  await site.pool.query('delete from jira.deliveries');
  await site.pool.query('delete from jira.issues');
  await site.pool.query('delete from jira.moved_keys');
  for (const { site: each } of jiras) {
    for (const project of each.projects) await changeSettings(each, project, plainSettings());
  }
  requests.clear();
  points.reset();
  await oauth.setSiteCount(jiras.length);
  site.changes.emit('change', '');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
