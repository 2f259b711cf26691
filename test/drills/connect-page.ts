// The connect page as a browser without scripts uses it: opened from Slack, forms sent with their hidden fields.

import type { Stack } from '../support/stack';
import { must } from '../support/stack-clients';
import { answerConsent } from '../support/stack-consent';

export type ConnectPage = Awaited<ReturnType<typeof openConnectPage>>;

/** Asks for the link in Slack, as the owner, and opens it. */
export async function openConnectPage({ slack, local }: Stack) {
  const asked = await must(
    slack('POST', '/act/command', {
      user: local.slackUserId,
      channel: local.slackChannelId,
      text: 'connect',
      wait: 10_000,
    }),
  );
  const [link] = JSON.stringify(asked).match(/https?:[^"|>\\]+\/connect\/[\w-]{40,}/) ?? [];
  if (!link) throw new Error(`Slack showed no link: ${JSON.stringify(asked)}`);
  const opened = await fetch(link, { redirect: 'manual' });
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  const at = (path: string) => new URL(path, local.baseUrl);
  const get = (path: string) => fetch(at(path), { redirect: 'manual', headers: { cookie } });
  const csrf = /name="csrf" value="([^"]+)"/.exec(await (await get('/connect')).text())?.[1] ?? '';

  /** Sends a form; answers where the browser is sent next. */
  async function send(path: string, fields: Record<string, string>): Promise<string> {
    const body = new URLSearchParams({ csrf, ...fields });
    return next(await fetch(at(path), { method: 'POST', redirect: 'manual', headers: { cookie }, body }), path);
  }

  /** Consents at Atlassian; answers where the callback leads. */
  async function consent(fields: Record<string, string> = {}): Promise<string> {
    const back = await answerConsent(await send('/connect/atlassian', fields));
    const path = `${back.pathname}${back.search}`;
    return next(await get(path), '/connect/atlassian/callback');
  }

  return {
    /** The value of the session's cookie. */
    cookie: cookie.slice(cookie.indexOf('=') + 1),
    get,
    send,

    /** Connects the first site of a new grant; answers the connection's id. */
    async connectOauth(projectKey: string): Promise<string> {
      const setup = await consent();
      const page = await (await get(setup)).text();
      const site = /name="site" value="([^"]+)"/.exec(page)?.[1];
      if (site) await send(`${setup}/site`, { site });
      const end = await send(`${setup}/project`, { projectKey });
      const [id] = end.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) ?? [];
      if (!id) throw new Error(`The connection was not made: ${end} ${await (await get(end)).text()}`);
      return id;
    },

    /** Gives a connection a new grant. */
    reconnectOauth: (id: string) => consent({ reconnect: id }),
  };
}

async function next(response: Response, path: string): Promise<string> {
  const location = response.headers.get('location');
  if (response.status === 303 && location) return location;
  throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
}
