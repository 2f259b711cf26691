import { actions, button, context, header, section } from './elements';
import { foreign, type Message, moment } from './text';

/** What admins are told about a connection to Jira. */
export type ConnectionNotice = {
  kind: string;
  /** Cause and cure in plain words. */
  detail: string;
  siteUrl: string;
  /** The connection's own project, and the kind of its credentials. */
  projectKey: string;
  connectionKind: 'api_token' | 'oauth';
  /** Pushes that wait for it just now. */
  heldPushes: number;
  createdAt: Date;
  /** Null while it is not over. */
  resolvedAt: Date | null;
};

export const noticeActions = { openSite: 'notice.open_site' } as const;

type Wording = { title: string; meanwhile: string };

/** Said once, and over with that. */
const news = ['approval_waits', 'restored'];
const unknownKind: Wording = { title: 'Jira needs your attention', meanwhile: '' };

function wordingOf(kind: string, command: string): Wording {
  const wordings: Record<string, Wording> = {
    reconnect_required: {
      title: 'Jira has to be connected again',
      meanwhile: `\`${command} connect\` opens the page: press Reconnect on that connection. Until then pushes are held, not lost: they go out by themselves when it works again, and what was changed in Jira meanwhile is caught up.`,
    },
    project_lost: {
      title: 'A Jira project cannot be seen any more',
      meanwhile: `Findings of this project stay as they are, nothing counts as deleted. Recheck goes on by itself when the project can be seen again. \`${command} connect\` shows how the connection stands.`,
    },
    webhook_failed: {
      title: 'Jira does not tell Recheck of changes',
      meanwhile: `Until it does, changes in Jira are only found by the hourly poll, if auto sync is on. \`${command} connect\` opens the page to synchronise and to switch it on.`,
    },
    approval_waits: {
      title: 'A push waits for approval',
      meanwhile: `\`${command} approve\` lists what waits, with its buttons. Nothing of it goes to Jira before that.`,
    },
    restored: {
      title: 'Jira is connected again',
      meanwhile: 'Held pushes are on their way, and what was changed in Jira meanwhile is being caught up.',
    },
  };
  return wordings[kind] ?? unknownKind;
}

/** One notice about a connection: what happened where and why, what to do, and what happens until then. */
export function connectionNotice(notice: ConnectionNotice, { command }: { command: string }): Message {
  const { title, meanwhile } = wordingOf(notice.kind, command);
  const site = siteOf(notice.siteUrl);
  const detail = foreign(notice.detail, 2000);
  const isOver = !news.includes(notice.kind) && notice.resolvedAt !== null;
  const over = isOver ? 'This is over already: nothing has to be done any more.' : '';
  const next = isOver ? over : meanwhile;
  const kind = notice.connectionKind === 'oauth' ? 'OAuth' : 'API token';
  const where = foreign(`${site?.name ?? 'Jira'}, ${notice.projectKey}, ${kind}`, 300);
  const held =
    notice.heldPushes > 0 && !isOver
      ? `Held now: ${notice.heldPushes === 1 ? '1 push' : `${notice.heldPushes} pushes`}.`
      : '';
  return {
    text: [`${title} (${where}). ${detail}`, held, next].filter(Boolean).join(' '),
    blocks: [
      header(title),
      section([`*${where}*: ${detail}`, held].filter(Boolean).join(' ')),
      ...(next ? [section(next)] : []),
      ...(site
        ? [actions([button({ action: noticeActions.openSite, label: `Open ${site.name}`, url: site.url })])]
        : []),
      context(moment(notice.createdAt)),
    ],
  };
}

/** The site's own front page: whatever else an address could carry stays out of Slack. */
function siteOf(siteUrl: string): { name: string; url: string } | null {
  if (!URL.canParse(siteUrl)) return null;
  const { protocol, host, origin } = new URL(siteUrl);
  return protocol === 'https:' || protocol === 'http:' ? { name: host, url: origin } : null;
}
