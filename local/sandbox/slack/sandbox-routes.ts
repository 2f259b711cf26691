import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { Context } from './context';
import { resetDatabase } from './database';
import { USERS } from './directory';
import { faultSchema } from './faults';
import { visibleState } from './state';

/**
 * The router of `/sandbox`: what no Slack has. `GET state?user=`, `GET requests`, `GET events` (server-sent, one per
 * change), `GET|POST|DELETE faults`, `POST settings { requestUrl }`, `POST reset`.
 */
export function createSandboxRoutes(context: Context): Router {
  const router = Router();
  router.use(express.json());

  router.get('/state', async (request: Request, response: Response) => {
    const name = String(request.query.user ?? USERS[0]?.id);
    const user = await context.directory.findUser(name);
    if (!user || user.role === 'bot') return void response.status(404).send({ error: `no user ${name}` });
    const channel = typeof request.query.channel === 'string' ? request.query.channel : undefined;
    response.set('cache-control', 'no-store').send(await visibleState(context, { user, channel }));
  });
  router.get('/requests', (request: Request, response: Response) => {
    const { method } = request.query;
    const items = context.requests.list().filter((each) => method === undefined || each.method === method);
    response.send({ items });
  });
  router.get('/events', (request: Request, response: Response) => streamChanges(context, request, response));

  router.get(
    '/faults',
    (_request: Request, response: Response) => void response.send({ items: context.faults.list() }),
  );
  router.post('/faults', (request: Request, response: Response) => {
    const parsed = faultSchema.safeParse(request.body);
    if (!parsed.success) return void response.status(400).send({ error: z.prettifyError(parsed.error) });
    context.faults.add(parsed.data);
    response.status(201).send(parsed.data);
  });
  router.delete('/faults', (_request: Request, response: Response) => {
    context.faults.clear();
    response.status(204).end();
  });

  router.post('/settings', (request: Request, response: Response) => {
    const parsed = z.strictObject({ requestUrl: z.url() }).safeParse(request.body);
    if (!parsed.success) return void response.status(400).send({ error: z.prettifyError(parsed.error) });
    context.settings.requestUrl = parsed.data.requestUrl;
    response.send(parsed.data);
  });
  router.post('/reset', async (_request: Request, response: Response) => {
    await resetDatabase(context.db);
    context.faults.clear();
    context.requests.clear();
    context.changes.emit('change');
    response.status(204).end();
  });
  return router;
}

function streamChanges({ changes }: Context, request: Request, response: Response): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write('retry: 1000\n\n');
  const tell = () => response.write('data: change\n\n');
  changes.on('change', tell);
  request.on('close', () => changes.off('change', tell));
}
