import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { APP, TEAM } from './directory';
import { viewState } from './element-state';
import { type Block, withIds } from './messages';

export interface ViewContent {
  type: 'modal' | 'home';
  blocks: Block[];
  callback_id?: string;
  external_id?: string;
  private_metadata?: string;
  clear_on_close?: boolean;
  notify_on_close?: boolean;
  [field: string]: unknown;
}

export interface View {
  id: string;
  userId: string;
  content: ViewContent;
  hash: string;
  rootId: string;
  previousId: string | null;
  isOpen: boolean;
  /** What the user has entered so far, by block id and action id. */
  values: Record<string, Record<string, unknown>>;
}

/** How far a stack of modals goes: the root and two pushed on it. */
export const DEEPEST_STACK = 3;

const columns = `select id, user_id as "userId", content, hash, root_id as "rootId", previous_id as "previousId",
  is_open as "isOpen", values from slack.views`;

/** Modals, of which a user sees the newest open one, and Home tabs, one per user. */
export function createViews(db: Pool, changed: () => void) {
  const one = async (where: string, values: unknown[]): Promise<View | null> =>
    (await db.query<View>(`${columns} ${where}`, values)).rows[0] ?? null;
  const closeWhere = async (where: string, values: unknown[]): Promise<void> => {
    await db.query(`update slack.views set is_open = false where kind = 'modal' and is_open and ${where}`, values);
    changed();
  };

  const add = async (userId: string, content: ViewContent, previous: View | null): Promise<View | null> => {
    const id = newId('V');
    await db.query(
      `insert into slack.views (id, user_id, kind, content, hash, root_id, previous_id, external_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (user_id) where kind = 'home' do nothing`,
      [
        id,
        userId,
        content.type,
        JSON.stringify(stored(content)),
        newHash(),
        previous?.rootId ?? id,
        previous?.id ?? null,
        content.external_id || null,
      ],
    );
    changed();
    return one('where id = $1', [id]);
  };

  return {
    find: (id: string) => one('where id = $1', [id]),
    findByExternalId: (external: string) => one('where external_id = $1 and is_open', [external]),
    home: (userId: string) => one("where user_id = $1 and kind = 'home'", [userId]),
    top: (userId: string) =>
      one("where user_id = $1 and kind = 'modal' and is_open order by seq desc limit 1", [userId]),
    /** Opens a root modal, in place of whatever that user had open. */
    async open(userId: string, content: ViewContent): Promise<View> {
      const view = must(await add(userId, content, null));
      await closeWhere('user_id = $1 and id <> $2', [userId, view.id]);
      return view;
    },
    push: async (on: View, content: ViewContent) => must(await add(on.userId, content, on)),
    /** How many modals lie in the stack of this one, itself included. */
    async depth(view: View): Promise<number> {
      const { rows } = await db.query<{ count: number }>(
        'select count(*)::int as count from slack.views where root_id = $1 and is_open',
        [view.rootId],
      );
      return rows[0]?.count ?? 0;
    },
    /** Replaces an open view's content; null when it is closed or, with `hash`, when it changed meanwhile. */
    async update(view: View, content: ViewContent, hash?: string): Promise<View | null> {
      const { rowCount } = await db.query(
        `update slack.views set content = $2, hash = $3, external_id = $4
         where id = $1 and is_open and ($5::text is null or hash = $5)`,
        [view.id, JSON.stringify(stored(content)), newHash(), content.external_id || null, hash ?? null],
      );
      changed();
      return rowCount ? one('where id = $1', [view.id]) : null;
    },
    /** Makes the Home tab of a user; null when there is one by now. */
    publish: (userId: string, content: ViewContent) => add(userId, content, null),
    async enter(view: View, values: View['values']): Promise<View> {
      await db.query('update slack.views set values = $2 where id = $1', [view.id, JSON.stringify(values)]);
      return { ...view, values };
    },
    close: (view: View) => closeWhere('id = $1', [view.id]),
    closeStack: (view: View) => closeWhere('root_id = $1', [view.rootId]),
  };
}
export type Views = ReturnType<typeof createViews>;

/** A view as the Web API and interaction payloads show it. */
export function viewObject(view: View) {
  const { content } = view;
  return {
    private_metadata: '',
    callback_id: '',
    external_id: '',
    title: { type: 'plain_text', text: 'View Title', emoji: true },
    submit: null,
    close: null,
    clear_on_close: false,
    notify_on_close: false,
    ...content,
    id: view.id,
    team_id: TEAM.id,
    state: { values: viewState(content.blocks, view.values) },
    hash: view.hash,
    root_view_id: view.rootId,
    previous_view_id: view.previousId,
    app_id: APP.id,
    app_installed_team_id: TEAM.id,
    bot_id: APP.botId,
  };
}

/** A random id in Slack's form, with its leading letter. */
export function newId(letter: string): string {
  return `${letter}0${randomBytes(5).toString('hex').slice(0, 9).toUpperCase()}`;
}

function newHash(): string {
  return `${Math.floor(Date.now() / 1000)}.${randomBytes(6).toString('base64url')}`;
}

function stored(content: ViewContent): ViewContent {
  return { ...content, blocks: withIds(content.blocks) };
}

function must(view: View | null): View {
  if (!view) throw new Error('a view vanished while it was stored');
  return view;
}
