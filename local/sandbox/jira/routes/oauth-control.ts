import { Router } from 'express';
import { z } from 'zod';
import type { Jira } from '../jira';
import { dynamicBean } from './dynamic-webhooks';

// Controls for what takes weeks at Atlassian, or a person's hand: expiry, revoked grants, lost scopes, lost webhooks.

const only = z.object({ grantId: z.coerce.string().regex(/^\d+$/).optional() });
const age = only.extend({ ms: z.int().positive() });
const sites = z.object({ count: z.int().min(0).max(2) });
const expiry = z.object({ inMs: z.int().default(0) });

/** The routes below `/sandbox/oauth` and `/sandbox/webhooks`. No answer holds a token or a secret. */
export function createOauthControlRouter(jiras: readonly Jira[]): Router {
  const router = Router();
  const [jira] = jiras;
  if (!jira) return router;
  addGrantRoutes(router, jira);
  addWebhookRoutes(router, jiras);
  return router;
}

function addGrantRoutes(router: Router, jira: Jira): void {
  const { pool } = jira.site;
  router.get('/oauth', async (_req, res) => {
    const { rows } = await pool.query(
      `select id, account_id as "accountId", scopes, cloud_ids as "cloudIds", created_at as "createdAt",
              ended_at as "endedAt", ended_by as "endedBy", refreshes, reuses, refusals, refreshed_at as "refreshedAt"
       from jira.oauth_grants order by id`,
    );
    res.json({ clientId: jira.oauth.clientId, sites: { count: jira.oauth.siteCount() }, grants: rows });
  });
  router.put('/oauth/sites', async (req, res) => {
    await jira.oauth.setSiteCount(sites.parse(req.body).count);
    res.json({ count: jira.oauth.siteCount() });
  });
  router.post('/oauth/expire', async (req, res) => {
    const { grantId } = only.parse(req.body ?? {});
    const { rowCount } = await pool.query(
      `update jira.oauth_tokens set expires_at = now()
       where kind = 'access' and expires_at > now() and ($1::bigint is null or grant_id = $1)`,
      [grantId ?? null],
    );
    res.json({ expired: rowCount });
  });
  router.post('/oauth/age', async (req, res) => {
    const { ms, grantId } = age.parse(req.body);
    const { rowCount } = await pool.query(
      `update jira.oauth_tokens set expires_at = expires_at - past, rotated_at = rotated_at - past
       from make_interval(secs => $1::float8 / 1000) as past
       where kind = 'refresh' and ($2::bigint is null or grant_id = $2)`,
      [ms, grantId ?? null],
    );
    res.json({ aged: rowCount });
  });
  router.post('/oauth/grants/:id/revoke', async (req, res) => {
    const { rowCount } = await pool.query(
      `update jira.oauth_grants set ended_at = coalesce(ended_at, now()), ended_by = coalesce(ended_by, 'revoked')
       where id::text = $1`,
      [req.params.id],
    );
    res.status(rowCount ? 204 : 404).end();
  });
  router.delete('/oauth/grants/:id/scopes/:scope', async (req, res) => {
    const { rowCount } = await pool.query(
      'update jira.oauth_grants set scopes = array_remove(scopes, $2) where id::text = $1',
      [req.params.id, req.params.scope],
    );
    res.status(rowCount ? 204 : 404).end();
  });
}

function addWebhookRoutes(router: Router, jiras: readonly Jira[]): void {
  const pool = jiras[0]?.site.pool;
  const reload = () => Promise.all(jiras.map(({ webhooks }) => webhooks.reload()));
  router.get('/webhooks', (_req, res) => {
    const items = jiras.flatMap(({ site, webhooks }) =>
      webhooks.dynamic().map((webhook) => ({
        ...dynamicBean(webhook),
        cloudId: site.cloudId,
        accountId: webhook.account_id,
        expired: webhook.expires_at <= new Date(),
      })),
    );
    res.json({ items });
  });
  router.post('/webhooks/:id/expire', async (req, res) => {
    const { inMs } = expiry.parse(req.body ?? {});
    const done = await pool?.query(
      `update jira.dynamic_webhooks set expires_at = now() + make_interval(secs => $2::float8 / 1000)
       where id::text = $1`,
      [req.params.id, inMs],
    );
    await reload();
    res.status(done?.rowCount ? 204 : 404).end();
  });
  router.delete('/webhooks/:id', async (req, res) => {
    const done = await pool?.query('delete from jira.dynamic_webhooks where id::text = $1', [req.params.id]);
    await reload();
    res.status(done?.rowCount ? 204 : 404).end();
  });
}
