// The pages of one connection.

import type { ConnectionView } from '../operations/connection-types';
import { Refusal } from '../operations/refusal';
import type { SourceView } from '../operations/types';
import { connectionPage, disconnectPage, reconnectPage, reconnectTrouble, webhookPage } from './connection-view';
import { mappingPage } from './mapping-view';
import { missing, type Trouble } from './page';
import type { Pages } from './pages';
import { goOn, type Visit } from './visit';

const PAGE = 200;

const doneWords: Record<string, string> = {
  tested: 'The connection was tested; the result stands below.',
  synced: 'The synchronisation has started. What changed in Jira is caught up within a minute.',
  'auto-sync-on': 'Auto sync is on: Jira is polled every hour.',
  'auto-sync-off': 'Auto sync is off: only webhooks bring changes.',
  reconnected: 'The connection has new credentials. Held pushes go on by themselves.',
  saved: 'Saved.',
};

/** Adds the routes of a connection: state, test, synchronisation, auto sync, webhook, mapping, new credentials, end. */
export function addConnectionRoutes(pages: Pages): void {
  const { operations, sessions } = pages;
  const at = (id: string) => `/connect/connections/${id}`;
  const connectionOf = ({ req, session }: Visit) => operations.getConnection(session.caller, idOf(req.params.id));

  pages.get('/connections/:id', async (visit) => {
    const connection = await connectionOf(visit);
    const projects = await routedProjects(pages, visit, connection);
    const test = visit.session.state.tests[connection.id] ?? null;
    const done = doneWords[visit.text('done')];
    visit.res.type('html').send(connectionPage({ viewer: visit.viewer, connection, projects, test, done }));
  });

  pages.post('/connections/:id/test', async (visit) => {
    const id = idOf(visit.req.params.id);
    const { checks } = await operations.testConnection(visit.session.caller, id);
    const test = { at: new Date().toISOString(), checks };
    await sessions.change(visit.session, (kept) => ({ ...kept, tests: { ...kept.tests, [id]: test } }));
    goOn(visit.res, `${at(id)}?done=tested`);
  });

  pages.post('/connections/:id/sync', async (visit) => {
    const id = idOf(visit.req.params.id);
    await operations.syncConnection(visit.session.caller, id);
    goOn(visit.res, `${at(id)}?done=synced`);
  });

  pages.post('/connections/:id/auto-sync', async (visit) => {
    const id = idOf(visit.req.params.id);
    const autoSync = visit.isTicked('autoSync');
    await operations.updateConnection(visit.session.caller, id, { autoSync });
    goOn(visit.res, `${at(id)}?done=auto-sync-${autoSync ? 'on' : 'off'}`);
  });

  // After a form that could not be taken, its address may be opened or reloaded.
  for (const form of ['test', 'sync', 'auto-sync']) {
    pages.get(`/connections/:id/${form}`, (visit) => goOn(visit.res, at(idOf(visit.req.params.id))));
  }

  pages.get('/connections/:id/webhook', async (visit) => {
    const connection = await connectionOf(visit);
    // A look ahead is not the one showing.
    const secret = visit.req.method === 'GET' ? await sessions.takeSecret(visit.session, connection.id) : null;
    const adopted = Number(/^\d{1,9}$/.exec(visit.text('adopted'))?.[0] ?? 0);
    const toRoute = await pages.connecting.toRoute(visit.session.caller, connection.id);
    visit.res.type('html').send(webhookPage({ viewer: visit.viewer, connection, secret, adopted, toRoute }));
  });

  addReconnectRoutes(pages, { at, connectionOf });
  addMappingRoutes(pages, { at, connectionOf });

  pages.get('/connections/:id/disconnect', async (visit) => {
    const connection = await connectionOf(visit);
    const sources = (await routedSources(pages, visit, connection)).map(({ key }) => key);
    visit.res.type('html').send(disconnectPage({ viewer: visit.viewer, connection, sources }));
  });
  pages.post('/connections/:id/disconnect', async (visit) => {
    await operations.deleteConnection(visit.session.caller, idOf(visit.req.params.id));
    goOn(visit.res, '/connect?done=disconnected');
  });
}

type Tools = { at(id: string): string; connectionOf(visit: Visit): Promise<ConnectionView> };

function addReconnectRoutes(pages: Pages, { at, connectionOf }: Tools): void {
  const { connecting, sessions, get, post } = pages;
  get('/connections/:id/reconnect', async (visit) => {
    const { viewer, session } = visit;
    const connection = await connectionOf(visit);
    const failed = visit.req.method === 'GET' ? await sessions.takeTrouble(session, connection.id) : null;
    const trouble = failed ? reconnectTrouble(failed.message, failed.checks) : undefined;
    const email = connection.email ?? '';
    visit.res
      .status(trouble ? 400 : 200)
      .type('html')
      .send(reconnectPage({ viewer, connection, email, trouble }));
  });
  post('/connections/:id/reconnect', async (visit) => {
    const { viewer, res, session } = visit;
    const connection = await connectionOf(visit);
    const email = visit.text('email');
    const apiToken = visit.text('apiToken');
    const again = (trouble: Trouble) => {
      res.status(400).type('html').send(reconnectPage({ viewer, connection, email, trouble }));
    };
    if (!email || !apiToken) {
      const fields = missing({ email: [email, 'Fill in the e-mail.'], apiToken: [apiToken, 'Fill in the API token.'] });
      return again({ message: 'Fill in the e-mail and the API token.', fields });
    }
    const { siteUrl } = connection;
    const renewed = await connecting.renewById(session.caller, connection.id, {
      kind: 'api_token',
      siteUrl,
      email,
      apiToken,
    });
    if (!renewed.ok) {
      const message = 'The connection was left as it is. Type the token again after mending what failed.';
      return again(reconnectTrouble(message, renewed.checks));
    }
    await sessions.forgetTest(session, connection.id);
    goOn(res, `${at(connection.id)}?done=reconnected`);
  });
}

function addMappingRoutes({ operations, get, post }: Pages, { at, connectionOf }: Tools): void {
  const keyOf = ({ req }: Visit) => (typeof req.params.key === 'string' ? req.params.key : '');
  get('/connections/:id/mapping/:key', async (visit) => {
    const connection = await connectionOf(visit);
    const mapping = await operations.getMapping(visit.session.caller, connection.id, keyOf(visit));
    const done = doneWords[visit.text('done')];
    visit.res.type('html').send(mappingPage({ viewer: visit.viewer, connection, mapping, done }));
  });
  post('/connections/:id/mapping/:key', async (visit) => {
    const id = idOf(visit.req.params.id);
    const change = { blockedResolutions: visit.list('resolution'), blockedStatuses: visit.list('status') };
    await operations.putMapping(visit.session.caller, id, keyOf(visit), change);
    goOn(visit.res, `${at(id)}/mapping/${encodeURIComponent(keyOf(visit))}?done=saved`);
  });
}

/** The projects whose issues come back through this connection. */
async function routedProjects(pages: Pages, visit: Visit, connection: ConnectionView): Promise<string[]> {
  const routed = (await routedSources(pages, visit, connection)).map((source) => source.rule.projectKey);
  return [...new Set([connection.projectKey, ...routed])].filter((key) => key !== null);
}

async function routedSources({ operations }: Pages, { session }: Visit, { id }: ConnectionView): Promise<SourceView[]> {
  const found: SourceView[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await operations.listSources(session.caller, { limit: PAGE, ...(cursor ? { cursor } : {}) });
    found.push(...page.items.filter((source) => source.connection === id));
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

function idOf(id: unknown): string {
  if (typeof id === 'string') return id;
  throw new Refusal('not_found', 'not_found', 'There is no such connection. Go to the connect page and choose one.');
}
