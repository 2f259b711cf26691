import { randomBytes, randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import type { SlackWorkspace } from '../../local/given';
import { startJiraSandbox } from '../../local/sandbox/jira/server';
import { startSlackSandbox } from '../../local/sandbox/slack/server';
import type { SeedInput } from '../../local/seed';
import { applyMigrations } from '../../prisma/migrate';
import { botTokenContext } from '../../prisma/sealed-columns';
import { createSecretBox, parseEncryptionKeys } from '../../prisma/secret-box';
import { createDatabase } from '../support/database';
import { seed } from '../support/stack-processes';

const encryptionKeys = `k1:${randomBytes(32).toString('base64')}`;
const slackBotToken = 'xoxb-local-1';
const real: SlackWorkspace = {
  teamId: 'T0REAL',
  teamName: 'Real',
  enterpriseId: null,
  botToken: 'xoxb-real-1',
  botId: 'B1',
  botUserId: 'U1',
  channelId: 'C0REAL',
};
const baseUrl = 'http://127.0.0.1:1';
const ends: (() => Promise<unknown>)[] = [];
let sandbox: SeedInput['sandbox'];

beforeAll(async () => {
  const database = await createDatabase();
  ends.push(database.drop);
  const jira = await startJiraSandbox({ databaseUrl: database.url, port: 0 });
  ends.push(jira.stop);
  const requestUrl = `${baseUrl}/slack/events`;
  const options = { databaseUrl: database.url, port: 0, requestUrl, signingSecret: 'x', botToken: slackBotToken };
  const slack = await startSlackSandbox(options);
  ends.push(slack.stop);
  const { url: jiraUrl, siteUrls: jiraSiteUrls, accounts, oauth } = jira;
  sandbox = { jiraUrl, jiraSiteUrls, accounts, oauth, slackUrl: slack.url, slackApiUrl: slack.apiUrl, slack };
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

async function prepare() {
  const { url, drop } = await createDatabase();
  await applyMigrations(url);
  const db = new Pool({ connectionString: url, max: 2 });
  ends.push(drop, () => db.end());
  const input: SeedInput = { databaseUrl: url, encryptionKeys, baseUrl, sandbox, slackBotToken };
  const count = async (table: string) => (await db.query(`select from ${table}`)).rowCount;
  return { db, input, count };
}

describe('the data of npm start', () => {
  it('are put into no organisation that somebody else made', async () => {
    const { db, input, count } = await prepare();
    const id = randomUUID();
    await db.query(`insert into organisation (id, name) values ($1, 'RealCorp')`, [id]);
    await db.query(
      `insert into member (id, organisation_id, name, role) values (gen_random_uuid(), $1, 'Real', 'owner')`,
      [id],
    );
    await expect(seed(input)).rejects.toThrow(/"RealCorp", which npm start did not make/);
    expect(await Promise.all(['organisation', 'member', 'api_key', 'connection', 'source'].map(count))).toEqual([
      1, 1, 0, 0, 0,
    ]);
  });

  it('are the same at the next start, also where the database has got another organisation', async () => {
    const { db, input, count } = await prepare();
    const first = await seed(input);
    expect(first.members.map(({ role }) => role)).toEqual(['owner', 'admin', 'admin', 'member', 'guest']);
    await db.query(`insert into organisation (id, name, created_at) values (gen_random_uuid(), 'Older', '2020-01-01')`);
    expect(await seed(input)).toEqual(first);
    expect(await Promise.all(['organisation', 'member', 'connection', 'source'].map(count))).toEqual([2, 4, 1, 2]);
  });

  it('have the real Slack workspace alone installed where there is one, and the sandbox again without it', async () => {
    const { db, input } = await prepare();
    const box = createSecretBox(parseEncryptionKeys(encryptionKeys));
    const installed = async () => {
      const { rows } = await db.query(
        'select id, team_id as team, channel_id as channel, status, bot_token as token from slack_installation order by team_id',
      );
      return rows.map(({ id, team, channel, status, token }) => ({
        is: `${team} ${channel} ${status}`,
        token: token && box.open(token, botTokenContext(id)),
      }));
    };
    const atSandbox = `${sandbox.slack.teamId} ${sandbox.slack.channelId}`;
    const first = await seed(input);
    expect(await seed({ ...input, slack: real })).toEqual(first);
    expect(await installed()).toEqual([
      { is: `${atSandbox} disconnected`, token: null },
      { is: 'T0REAL C0REAL installed', token: 'xoxb-real-1' },
    ]);
    await seed(input);
    expect(await installed()).toEqual([
      { is: `${atSandbox} installed`, token: slackBotToken },
      { is: 'T0REAL C0REAL disconnected', token: null },
    ]);
  });
});
