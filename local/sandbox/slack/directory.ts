// Who and where: the workspace, its people and its channels, as they are seeded and as Slack's API shows them.
import type { Pool } from 'pg';

export const TEAM = { id: 'T0ACMEQA00', name: 'Acme QA', domain: 'acme-qa' } as const;
export const APP = { id: 'A0RECHECK0', name: 'Recheck', botId: 'B0RECHECK0', userId: 'U0RECHECK0' } as const;

export type Role = 'owner' | 'admin' | 'member' | 'guest' | 'bot';

export interface User {
  id: string;
  name: string;
  realName: string;
  title: string;
  role: Role;
}

export interface Channel {
  id: string;
  name: string;
  kind: 'channel' | 'im';
  topic: string;
  /** The person at the other end of a direct message with the app. */
  user: string | null;
  members: string[];
}

export const USERS: readonly User[] = [
  { id: 'U0OLIVIA00', name: 'olivia', realName: 'Olivia Owner', title: 'Head of Quality', role: 'owner' },
  { id: 'U0ADA00000', name: 'ada', realName: 'Ada Admin', title: 'QA lead', role: 'admin' },
  { id: 'U0ALEX0000', name: 'alex', realName: 'Alex Admin', title: 'Accessibility lead', role: 'admin' },
  { id: 'U0MEL00000', name: 'mel', realName: 'Mel Member', title: 'Front-end developer', role: 'member' },
  { id: 'U0GUS00000', name: 'gus', realName: 'Gus Guest', title: 'Contractor', role: 'guest' },
  { id: APP.userId, name: 'recheck', realName: APP.name, title: '', role: 'bot' },
];

export const DEFAULT_CHANNEL = 'C0ACCESS00';
const people = USERS.filter((user) => user.role !== 'bot').map((user) => user.id);
const staff = USERS.filter((user) => user.role !== 'bot' && user.role !== 'guest').map((user) => user.id);

export const CHANNELS: readonly Channel[] = [
  {
    id: DEFAULT_CHANNEL,
    name: 'accessibility',
    kind: 'channel',
    topic: 'Findings, fixes and proof that they work',
    user: null,
    members: [...people, APP.userId],
  },
  {
    id: 'C0RELEASES',
    name: 'releases',
    kind: 'channel',
    topic: 'What ships, and when',
    user: null,
    members: staff,
  },
  ...people.map((user) => ({
    id: `D${user.slice(1)}`,
    name: '',
    kind: 'im' as const,
    topic: '',
    user,
    members: [user, APP.userId],
  })),
];

/** Readers and writers of users and channels; absent is null. */
export function createDirectory(db: Pool) {
  return {
    async findUser(id: string): Promise<User | null> {
      const { rows } = await db.query<User>(`${userColumns} where id = $1`, [id]);
      return rows[0] ?? null;
    },
    async users(): Promise<User[]> {
      return (await db.query<User>(`${userColumns} order by position`)).rows;
    },
    async channels(): Promise<Channel[]> {
      return (await db.query<Channel>(`${channelColumns} order by kind, position`)).rows;
    },
    /** Finds by id, by `#name`, or by a person's id, which means the direct message of that person with the app. */
    async findChannel(name: string): Promise<Channel | null> {
      const { rows } = await db.query<Channel>(`${channelColumns} where id = $1 or name = $2 or user_id = $1`, [
        name,
        name.replace(/^#/, '') || '-',
      ]);
      return rows[0] ?? null;
    },
    async addMember(where: { channel: string; user: string }): Promise<void> {
      await db.query(
        'update slack.channels set members = array_append(members, $2) where id = $1 and not $2 = any (members)',
        [where.channel, where.user],
      );
    },
  };
}
export type Directory = ReturnType<typeof createDirectory>;

const userColumns = 'select id, name, real_name as "realName", title, role from slack.users';
const channelColumns = 'select id, name, kind, topic, user_id as "user", members from slack.channels';

/** A user as `users.info` shows it. */
export function userObject(user: User) {
  const admin = user.role === 'owner' || user.role === 'admin';
  return {
    id: user.id,
    team_id: TEAM.id,
    name: user.name,
    real_name: user.realName,
    deleted: false,
    tz: 'Etc/UTC',
    tz_label: 'Coordinated Universal Time',
    tz_offset: 0,
    profile: {
      real_name: user.realName,
      display_name: user.realName,
      title: user.title,
      ...(user.role === 'bot' ? { api_app_id: APP.id, bot_id: APP.botId } : { email: emailOf(user) }),
    },
    is_admin: admin,
    is_owner: user.role === 'owner',
    is_primary_owner: user.role === 'owner',
    is_restricted: user.role === 'guest',
    is_ultra_restricted: false,
    is_bot: user.role === 'bot',
    is_app_user: false,
    updated: 1_767_225_600,
  };
}

/** The e-mail address of a seeded person. */
export function emailOf(user: User): string {
  return `${user.name}@acme-qa.example`;
}

/** A channel or direct message as `conversations.info` shows it, for the app. */
export function channelObject(channel: Channel) {
  const common = { id: channel.id, created: 1_767_225_600, is_archived: false, is_org_shared: false };
  if (channel.kind === 'im') return { ...common, is_im: true, user: channel.user, is_open: true };
  return {
    ...common,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: true,
    is_group: false,
    is_im: false,
    is_mpim: false,
    is_private: false,
    is_general: false,
    is_member: channel.members.includes(APP.userId),
    num_members: channel.members.length,
    topic: { value: channel.topic, creator: '', last_set: 0 },
    purpose: { value: channel.topic, creator: '', last_set: 0 },
  };
}
