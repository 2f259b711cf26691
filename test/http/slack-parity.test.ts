// Everything Slack can do, the HTTP API can do: each operation that the bot asks for is asked for by a route too.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { appOf, ask, listen } from './support';

/** The operations that the files of a folder call. */
function askedIn(folder: string): Set<string> {
  const root = join(__dirname, '..', '..', folder);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith('.ts'));
  const text = files.map((file) => readFileSync(join(file.parentPath, file.name), 'utf8')).join('\n');
  return new Set([...text.matchAll(/\boperations\s*\.\s*(\w+)\(/g)].flatMap(([, name]) => (name ? [name] : [])));
}

/** What HTTP does by another operation, and by which. */
const otherwise: Record<string, { route: string }> = {
  // Who asks is told by the API key.
  callerBySlackUser: { route: 'GET /api/v1/findings' },
  awaitPush: { route: 'GET /api/v1/pushes/{id}' },
  getConnection: { route: 'GET /api/v1/connections' },
  // Slack leads to a page, where no credential passes through Slack; HTTP takes the credentials itself.
  connectLink: { route: 'POST /api/v1/connections' },
  mayConnect: { route: 'POST /api/v1/connections' },
};

describe('I4 everything Slack can do, the HTTP API can do', () => {
  it('I4 each operation that the bot asks for has a route', async () => {
    const bot = askedIn('bot');
    const routes = askedIn('api/routes');
    expect(bot.size).toBeGreaterThan(15);
    const missing = [...bot].filter((name) => !routes.has(name) && !Object.hasOwn(otherwise, name));
    expect(missing).toEqual([]);
    const server = await listen(appOf({}));
    try {
      const { body } = await ask(server.url, 'GET /openapi.json');
      for (const { route } of Object.values(otherwise)) {
        const [method = '', path = ''] = route.split(' ');
        expect((body.paths as Record<string, unknown>)[path]).toHaveProperty(method.toLowerCase());
      }
    } finally {
      await server.close();
    }
  });
});
