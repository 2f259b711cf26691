// From credentials to a connection: the list, the form for an API token, the choice of site and project.

import { Refusal } from '../operations/refusal';
import { type ListInput, listPage, type TypedAccount } from './list-view';
import { missing } from './page';
import type { Pages } from './pages';
import type { ConnectSession, Setup } from './sessions';
import { projectPage, sitePage } from './setup-view';
import { goOn, type Visit } from './visit';

const MAX_CONNECTIONS = 200;

const doneWords: Record<string, string> = {
  disconnected: 'The connection was ended, and its credentials are erased.',
};

/** Adds the routes of the list and of setting up. */
export function addSetupRoutes(pages: Pages): void {
  const { sessions, connecting } = pages;
  pages.get('/', (visit) => showList(pages, visit, { done: doneWords[visit.text('done')] }));
  // After a form that could not be taken, its address may be opened or reloaded.
  pages.get('/token', ({ res }) => goOn(res, '/connect'));
  for (const form of ['site', 'project']) {
    pages.get(`/setup/:id/${form}`, (visit) => goOn(visit.res, `/connect/setup/${setupOf(visit).id}`));
  }
  pages.post('/token', (visit) => takeToken(pages, visit));
  pages.get('/setup/:id', (visit) => showSetup(pages, visit, setupOf(visit)));

  pages.post('/setup/:id/site', async (visit) => {
    const setup = setupOf(visit);
    const site = setup.grant?.sites.find(({ cloudId }) => cloudId === visit.text('site'));
    if (!setup.grant || !site) return showSetup(pages, visit, setup, 'Choose one of the sites.');
    const { grant, scopes } = setup.grant;
    const credentials = { kind: 'oauth' as const, siteUrl: site.url, cloudId: site.cloudId, grant, scopes };
    await sessions.changeSetup(visit.session, setup.id, { credentials, grant: null, siteName: site.name });
    goOn(visit.res, `/connect/setup/${setup.id}`);
  });

  pages.post('/setup/:id/project', async (visit) => {
    const setup = setupOf(visit);
    if (!setup.credentials) return goOn(visit.res, `/connect/setup/${setup.id}`);
    const typed = {
      projectKey: visit.text('projectKey'),
      autoSync: visit.isTicked('autoSync'),
      adoptFrom: visit.list('adoptFrom'),
    };
    if (!typed.projectKey) return showSetup(pages, visit, { ...setup, typed, checks: [] }, 'Choose a project.');
    const saved = await connecting.save(visit.session.caller, setup.credentials, typed);
    if (!saved.ok) {
      await sessions.changeSetup(visit.session, setup.id, { typed, checks: saved.checks });
      return goOn(visit.res, `/connect/setup/${setup.id}`);
    }
    await finish(pages, visit, { setupId: setup.id, saved });
  });
}

/** The first page; with `trouble` it is the answer to a form, which keeps what was typed. */
export async function showList(pages: Pages, visit: Visit, more: Partial<ListInput>): Promise<void> {
  const { items } = await pages.operations.listConnections(visit.session.caller, { limit: MAX_CONNECTIONS });
  const failed = more.trouble !== undefined;
  visit.res
    .status(failed ? 400 : 200)
    .type('html')
    .send(listPage({ viewer: visit.viewer, connections: items, offersOauth: pages.authUrl !== null, ...more }));
}

type SavedConnection = Extract<Awaited<ReturnType<Pages['connecting']['save']>>, { ok: true }>;

/** The connection is there: its secret waits for the one page that shows it. */
async function finish(pages: Pages, visit: Visit, done: { setupId: string | null; saved: SavedConnection }) {
  const { connection, webhookSecret, adopted } = done.saved;
  await pages.sessions.change(visit.session, (kept) => ({
    ...kept,
    setups: kept.setups.filter(({ id }) => id !== done.setupId),
    secrets: webhookSecret ? { ...kept.secrets, [connection.id]: webhookSecret } : kept.secrets,
  }));
  goOn(visit.res, `/connect/connections/${connection.id}/webhook${adopted > 0 ? `?adopted=${adopted}` : ''}`);
}

async function takeToken(pages: Pages, visit: Visit): Promise<void> {
  const { connecting, sessions } = pages;
  const { caller } = visit.session;
  const typed: TypedAccount = {
    siteUrl: visit.text('siteUrl'),
    email: visit.text('email'),
    projectKey: visit.text('projectKey'),
    autoSync: visit.isTicked('autoSync'),
  };
  const apiToken = visit.text('apiToken');
  const again = (trouble: string, more: Pick<ListInput, 'checks' | 'errors'>) =>
    showList(pages, visit, { typed, trouble, ...more });
  const errors = missing({
    siteUrl: [typed.siteUrl, 'Fill in the site URL.'],
    email: [typed.email, 'Fill in the e-mail.'],
    apiToken: [apiToken, 'Fill in the API token.'],
  });
  if (Object.keys(errors).length > 0) return again('Fill in the site URL, the e-mail and the API token.', { errors });
  if (!/^[^\s@]+@[^\s@]+$/.test(typed.email)) {
    const email = 'The e-mail must be that of the Atlassian account.';
    return again(email, { errors: { email } });
  }

  const { siteUrl, email, projectKey, autoSync } = typed;
  const credentials = { kind: 'api_token' as const, siteUrl, email, apiToken };
  const proven = await connecting.prove(caller, credentials);
  if (!proven.ok)
    return again('Jira was not connected. Type the token again after mending what failed.', { checks: proven.checks });
  const adoptable = await connecting.adoptable(caller, credentials);
  const choice = { projectKey, autoSync, adoptFrom: null };
  let checks: Setup['checks'] = [];
  if (projectKey && adoptable.length === 0) {
    const saved = await connecting.save(caller, credentials, { projectKey, autoSync, adoptFrom: [] });
    if (saved.ok) return finish(pages, visit, { setupId: null, saved });
    checks = saved.checks;
  }
  const id = await sessions.addSetup(visit.session, { credentials, grant: null, typed: choice, checks });
  goOn(visit.res, `/connect/setup/${id}`);
}

async function showSetup(pages: Pages, visit: Visit, setup: Setup, trouble?: string): Promise<void> {
  const { connecting } = pages;
  const { res, viewer, session } = visit;
  res.status(trouble ? 400 : 200).type('html');
  if (!setup.credentials) {
    res.send(sitePage({ viewer, setup, sites: setup.grant?.sites ?? [], trouble }));
    return;
  }
  const { credentials } = setup;
  const query = visit.req.method === 'GET' ? visit.text('q') : '';
  const [projects, adoptable] = await Promise.all([
    connecting.projects(session.caller, credentials, query),
    connecting.adoptable(session.caller, credentials),
  ]);
  res.send(projectPage({ viewer, setup, siteUrl: credentials.siteUrl, projects, query, adoptable, trouble }));
}

function setupOf({ req, session }: { req: Visit['req']; session: ConnectSession }): Setup {
  const found = session.state.setups.find(({ id }) => id === req.params.id);
  if (found) return found;
  throw new Refusal(
    'not_found',
    'not_found',
    'This step is over: the connection was made, or your session has changed. Go to the connect page and start again.',
  );
}
