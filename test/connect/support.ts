// People of a stack as the tests of connecting need them: what they type in Slack, and a browser with cookies and forms
// but without scripts.
import type { Stack } from '../support/stack';
import { must } from '../support/stack-clients';
import { until } from '../support/until';

export type Role = 'owner' | 'admin' | 'member';
type Element = { type: string; action_id?: string; url?: string; value?: string };
type Ephemeral = {
  ts: string;
  text: string;
  blocks: { type: string; text?: { text: string }; elements?: Element[]; accessory?: Element }[];
};

export type Told = { ts: string; text: string; elements: Element[]; raw: string };

const WAIT_MS = 20_000;

/** What people do in Slack, and what Recheck tells them alone. */
export function createSlackPeople(stack: Stack) {
  const { local, slack } = stack;
  const channel = local.slackChannelId ?? '';
  const userOf = (role: Role) => local.members.find((member) => member.role === role)?.slackUserId ?? '';
  const toldOf = (answer: { ephemerals: Ephemeral[] }): Told => {
    const last = answer.ephemerals.at(-1);
    if (!last) throw new Error('Recheck said nothing in Slack.');
    const blocks = last.blocks.flatMap((block) => [
      ...(block.elements ?? []),
      ...(block.accessory ? [block.accessory] : []),
    ]);
    return { ts: last.ts, text: last.text, elements: blocks, raw: JSON.stringify(last) };
  };
  return {
    userOf,
    async types(role: Role, text: string): Promise<Told> {
      const command = { user: userOf(role), channel, text: `/recheck ${text}`, wait: WAIT_MS };
      return toldOf(await must(slack('POST', '/act/command', command)));
    },
    async presses(role: Role, told: Told, actionId: string, value?: string): Promise<Told> {
      const element = told.elements.find(
        (each) => each.action_id === actionId && (value === undefined || each.value === value),
      );
      if (!element) throw new Error(`No button ${actionId} in ${told.raw}`);
      const user = userOf(role);
      const click = { user, channel, ts: told.ts, actionId, value: element.value, wait: 0 };
      await must(slack('POST', '/act/click', click));
      // The answer takes the place of the message that the button sat in, or comes after it.
      return await until(
        async () => {
          const { channels } = await must(slack('GET', `/state?user=${user}&channel=${channel}`));
          const messages = channels.flatMap((each: { messages?: Ephemeral[] }) => each.messages ?? []);
          const later = messages.filter(
            (each: Ephemeral & { ephemeral: boolean }) => each.ephemeral && each.ts >= told.ts,
          );
          const now = later.length > 0 ? toldOf({ ephemerals: later }) : null;
          return now && now.text !== told.text ? now : null;
        },
        { what: `an answer to ${actionId}`, seconds: 30 },
      );
    },
    /** The address behind the button of `/recheck connect`. */
    async connectUrl(role: Role): Promise<string> {
      const { elements, raw } = await this.types(role, 'connect');
      const url = elements.find((element) => element.url)?.url;
      if (!url) throw new Error(`No link in ${raw}`);
      return url;
    },
  };
}

export type Shown = { status: number; html: string; text: string; url: string; headers: Headers };

/** A browser that keeps cookies, follows redirects and sends the forms that a page has. Runs no scripts. */
export function createBrowser(baseUrl: string) {
  const cookies = new Map<string, string>();
  let current: Shown | null = null;

  async function request(method: string, url: string, body?: URLSearchParams): Promise<Shown> {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        ...(cookies.size > 0 && url.startsWith(baseUrl) ? { cookie: cookieHeader() } : {}),
        ...(body ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(body ? { body } : {}),
    });
    if (url.startsWith(baseUrl)) keep(response);
    const location = response.headers.get('location');
    if (location && response.status >= 300 && response.status < 400) {
      return request('GET', new URL(location, url).toString());
    }
    const html = await response.text();
    current = { status: response.status, html, text: textOf(html), url, headers: response.headers };
    return current;
  }

  function keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=');
      cookies.set(name, value);
    }
  }

  const cookieHeader = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

  return {
    cookies,
    page: () => current,
    open: (path: string) => request('GET', new URL(path, baseUrl).toString()),
    /** Sends the form on the page whose button says `label`, with what it holds and what is filled in. */
    async press(label: string, fill: Record<string, string | string[] | null> = {}): Promise<Shown> {
      if (!current) throw new Error('No page is open.');
      const form = formOf(current.html, label);
      const action = new URL(form.action || current.url, current.url).toString();
      const fields = new Map(form.fields);
      for (const [name, value] of Object.entries(fill)) {
        if (value === null) fields.delete(name);
        else fields.set(name, Array.isArray(value) ? value : [value]);
      }
      const body = new URLSearchParams([...fields].flatMap(([name, values]) => values.map((value) => [name, value])));
      if (form.method === 'get') return request('GET', `${action}?${body.toString()}`);
      return request('POST', action, body);
    },
    /** Sends any form, as an attacker or a stale page would. */
    post: (path: string, body: Record<string, string>) =>
      request('POST', new URL(path, baseUrl).toString(), new URLSearchParams(body)),
  };
}

export type Browser = ReturnType<typeof createBrowser>;

type Form = { action: string; method: string; fields: Map<string, string[]> };

function formOf(html: string, label: string): Form {
  for (const [, attributes = '', content = ''] of html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)) {
    const button = [...content.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/g)].find(
      ([, , text = '']) => decoded(text).trim() === label,
    );
    if (!button) continue;
    const fields = fieldsOf(content);
    const name = attribute(button[1] ?? '', 'name');
    if (name) fields.set(name, [attribute(button[1] ?? '', 'value') ?? '']);
    return { action: attribute(attributes, 'action') ?? '', method: attribute(attributes, 'method') ?? 'get', fields };
  }
  throw new Error(`No form with the button "${label}" on: ${textOf(html)}`);
}

function fieldsOf(content: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  const add = (name: string | undefined, value: string) => {
    if (name) fields.set(name, [...(fields.get(name) ?? []), value]);
  };
  for (const [, attributes = ''] of content.matchAll(/<input\b([^>]*)>/g)) {
    const type = attribute(attributes, 'type');
    const isBox = type === 'checkbox' || type === 'radio';
    if (!isBox || /\schecked(\s|$|=)/.test(attributes))
      add(attribute(attributes, 'name'), attribute(attributes, 'value') ?? '');
  }
  for (const [, attributes = '', options = ''] of content.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)) {
    const all = [...options.matchAll(/<option\b([^>]*)>/g)].map(([, option = '']) => option);
    const chosen = all.find((option) => /\sselected/.test(option)) ?? all[0];
    if (chosen !== undefined) add(attribute(attributes, 'name'), attribute(chosen, 'value') ?? '');
  }
  return fields;
}

function attribute(attributes: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
  return value === undefined ? undefined : decoded(value);
}

/** What somebody reads on a page. */
function textOf(html: string): string {
  return decoded(html.replace(/<(style|script)\b[\s\S]*?<\/\1>/g, '').replace(/<[^>]+>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

function decoded(text: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_all, name: string) => entities[name] ?? '');
}

/** A browser with a session of somebody with this role. */
export async function signedIn(stack: Stack, role: Role = 'admin'): Promise<Browser> {
  const browser = createBrowser(stack.local.baseUrl);
  await browser.open(await createSlackPeople(stack).connectUrl(role));
  return browser;
}

/** The value of a field on the page that a browser shows. */
export function fieldValue(browser: Browser, id: string): string | undefined {
  const found = new RegExp(`<input[^>]*\\bid="${id}"[^>]*>`).exec(browser.page()?.html ?? '')?.[0];
  return found && attribute(found, 'value');
}
