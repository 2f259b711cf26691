import { Router } from 'express';
import { z } from 'zod';
import { type Fault, faultSpec } from '../faults';
import type { Jira } from '../jira';
import { changeSettings } from '../site';

// What the sandbox has beyond Jira: faults, the request log, counts, and project settings. For tests and for the curious.

const settings = z.strictObject({
  hiddenFields: z.array(z.string()).optional(),
  requiredFields: z.array(z.string()).optional(),
  invisible: z.boolean().optional(),
  denied: z.array(z.string()).optional(),
});

/** The routes below `/sandbox` that steer and watch; they take no credentials, because only this machine reaches them. */
export function createControlRouter(jira: Jira): Router {
  const router = Router();
  addFaultRoutes(router, jira);
  addWatchRoutes(router, jira);
  addSettingsRoutes(router, jira);
  router.post('/reset', async (_req, res) => {
    await reset(jira);
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
      `select id, webhook_id as "webhookId", identifier, event, state, attempts, last_status as "lastStatus",
              last_error as "lastError", created_at as "createdAt", next_at as "nextAt"
       from jira.deliveries where $1 = '' or state = $1 order by id desc limit 1000`,
      [text(req.query.state)],
    );
    res.json({ items: rows });
  });
}

function addSettingsRoutes(router: Router, { site }: Jira): void {
  router
    .route('/projects/:key')
    .get((req, res) => {
      const project = site.projects.find(({ key }) => key === req.params.key);
      res.status(project ? 200 : 404).json(project?.settings ?? { error: 'There is no such project.' });
    })
    .put(async (req, res) => {
      const project = site.projects.find(({ key }) => key === req.params.key);
      const parsed = settings.safeParse(req.body);
      if (!project) res.status(404).json({ error: 'There is no such project.' });
      else if (!parsed.success) res.status(400).json({ error: z.prettifyError(parsed.error) });
      else res.json(await changeSettings(site, project, parsed.data));
    });
}

// Accounts, tokens and webhooks stay, and numbers go on counting: an issue id never means two issues.
async function reset({ site, faults, requests }: Jira): Promise<void> {
  await faults.remove();
  await site.pool.query('delete from jira.deliveries');
  await site.pool.query('delete from jira.issues');
  await site.pool.query('delete from jira.moved_keys');
  const clean = { hiddenFields: [], requiredFields: [], invisible: false, denied: [] };
  for (const project of site.projects) await changeSettings(site, project, clean);
  requests.clear();
  site.changes.emit('change', '');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
