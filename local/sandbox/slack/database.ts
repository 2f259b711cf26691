import type { Pool } from 'pg';
import { CHANNELS, USERS } from './directory';

const tables = `
create schema if not exists slack;
create table if not exists slack.users (
  id text primary key, position int not null, name text not null, real_name text not null,
  title text not null, role text not null
);
create table if not exists slack.channels (
  id text primary key, position int not null, name text not null, kind text not null,
  topic text not null, user_id text, members text[] not null
);
create table if not exists slack.messages (
  channel text not null, ts text not null, thread_ts text, author text not null, text text not null,
  blocks jsonb, extra jsonb not null default '{}', ephemeral_for text, is_tombstone boolean not null default false,
  primary key (channel, ts)
);
create index if not exists messages_by_thread on slack.messages (channel, thread_ts, ts);
create table if not exists slack.views (
  id text primary key, seq bigserial not null, user_id text not null, kind text not null, content jsonb not null,
  hash text not null, root_id text not null, previous_id text, external_id text, is_open boolean not null default true,
  values jsonb not null default '{}'
);
create unique index if not exists one_home_per_user on slack.views (user_id) where kind = 'home';
create unique index if not exists one_external_id on slack.views (external_id) where is_open;
create index if not exists open_views on slack.views (user_id, seq) where is_open;
create table if not exists slack.triggers (
  id text primary key, user_id text not null, view_id text, created_at timestamptz not null default now(),
  used_at timestamptz
);
create table if not exists slack.response_urls (
  id text primary key, channel text not null, user_id text not null, ts text, is_ephemeral boolean not null,
  thread_ts text, created_at timestamptz not null default now(), uses int not null default 0
);
create table if not exists slack.files (
  id text primary key, name text not null, title text not null, bytes bytea, created_at timestamptz not null default now()
);
`;

/** Creates the schema `slack` with its tables and, in an empty one, the people and channels. Safe to repeat. */
export async function prepareDatabase(db: Pool): Promise<void> {
  await db.query(tables);
  await db.query("delete from slack.triggers where created_at < now() - interval '1 hour'");
  await db.query("delete from slack.response_urls where created_at < now() - interval '1 hour'");
  await seed(db);
}

/** Empties every table and seeds again. */
export async function resetDatabase(db: Pool): Promise<void> {
  await db.query(
    'truncate slack.users, slack.channels, slack.messages, slack.views, slack.triggers, slack.response_urls, slack.files',
  );
  await seed(db);
}

async function seed(db: Pool): Promise<void> {
  for (const [position, user] of USERS.entries()) {
    await db.query('insert into slack.users values ($1, $2, $3, $4, $5, $6) on conflict do nothing', [
      user.id,
      position,
      user.name,
      user.realName,
      user.title,
      user.role,
    ]);
  }
  for (const [position, channel] of CHANNELS.entries()) {
    await db.query('insert into slack.channels values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing', [
      channel.id,
      position,
      channel.name,
      channel.kind,
      channel.topic,
      channel.user,
      channel.members,
    ]);
  }
}
