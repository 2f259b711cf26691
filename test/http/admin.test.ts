import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Db } from '../../prisma/client';
import { createInstallationStore } from '../../prisma/installations';
import { createSecretBox } from '../../prisma/secret-box';
import { openStores, type Stores } from '../support/stores';

const root = join(__dirname, '..', '..');

describe('the admin command', () => {
  let stores: Stores;
  let db: Db;
  const key = randomBytes(32);
  beforeAll(async () => {
    stores = await openStores(createSecretBox([{ id: 'k1', key }]));
    db = stores.db;
  });
  afterAll(async () => {
    await stores?.close();
  });
  const script = join(root, 'dist', 'api', 'admin-main.js');
  const environment = () => ({
    PATH: process.env.PATH,
    DATABASE_URL: stores.url,
    ENCRYPTION_KEYS: `k1:${key.toString('base64')}`,
    BASE_URL: 'http://127.0.0.1:1',
  });
  const admin = (...args: string[]) =>
    spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env: environment() });
  /** Makes an organisation while `auth.test` of Slack answers so. */
  async function adminWithSlack(answer: object): Promise<{ status: number | null; printed: string }> {
    const slack = createServer((_req, res) => {
      res.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    }).listen(0, '127.0.0.1');
    await once(slack, 'listening');
    const SLACK_API_URL = `http://127.0.0.1:${(slack.address() as AddressInfo).port}/api/`;
    const env = { ...environment(), SLACK_API_URL, SLACK_BOT_TOKEN: 'xoxb-hunter2' };
    const child = spawn(process.execPath, [script, 'create-organisation', '--name', 'Other', '--owner', 'Omar'], {
      env,
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    }
    const [status] = await once(child, 'close');
    slack.close();
    return { status, printed };
  }

  it('makes an organisation whose owner can use the printed key', async () => {
    const made = admin('create-organisation', '--name', 'Acme', '--owner', 'Olivia');
    expect(made.stderr).toBe('');
    const printed = /rk_[\w-]+/.exec(made.stdout)?.[0] ?? '';
    expect(await db.members.byKey(printed)).toMatchObject({ member: { name: 'Olivia', role: 'owner' } });
  });

  it('makes a key for any member, and says so where there is none', async () => {
    const organisationId = await db.members.createOrganisation('Acme');
    const second = { name: 'Omar', role: 'owner', slackTeamId: null, slackUserId: null } as const;
    const { id = '' } = (await db.members.create(organisationId, second)) ?? {};
    const printed = /rk_[\w-]+/.exec(admin('create-key', '--member', id, '--name', 'ci').stdout)?.[0] ?? '';
    expect(await db.members.byKey(printed)).toMatchObject({ member: { name: 'Omar', role: 'owner' }, scopes: [] });
    expect(admin('create-key', '--member', 'nobody', '--name', 'ci')).toMatchObject({ status: 1, stdout: '' });
  });

  it('says what it wants when the arguments are not complete, and makes nothing', async () => {
    const before = await db.prisma.organisation.count();
    const refused = admin('create-organisation', '--name', 'Acme');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/--owner/);
    expect(await db.prisma.organisation.count()).toBe(before);
  });

  it('takes no name in pieces: one without its quotes is half a name', async () => {
    const before = await db.prisma.organisation.count();
    const refused = admin('create-organisation', '--name', 'Acme', 'Corp', '--owner', 'Olivia', 'Owner');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/"Corp".*quotes/);
    expect(await db.prisma.organisation.count()).toBe(before);
  });

  it('says how it is used when it is asked', () => {
    expect(admin('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('create-organisation --name') });
    expect(admin('--helf')).toMatchObject({ status: 1, stderr: expect.stringContaining('create-organisation --name') });
  });

  it('makes nothing where Slack refuses the token, or the workspace is of another organisation', async () => {
    const organisationId = await db.members.createOrganisation('First');
    const installation = { organisationId, teamId: 'T1', botToken: 'xoxb-1', botId: 'B1', botUserId: 'U1', scopes: [] };
    const store = createInstallationStore({ pool: db.pool, box: createSecretBox([{ id: 'k1', key }]) });
    const { id } = await store.upsert(installation);
    await store.markDisconnected(id);
    const before = [await db.prisma.organisation.count(), await db.prisma.member.count()];

    const taken = await adminWithSlack({ ok: true, team_id: 'T1', team: 'Acme', user_id: 'U1', bot_id: 'B1' });
    expect(taken).toEqual({
      status: 1,
      printed: expect.stringMatching(/^Slack workspace Acme belongs to organisation First: .*SLACK_BOT_TOKEN.*\n$/),
    });
    const invalid = await adminWithSlack({ ok: false, error: 'invalid_auth' });
    expect(invalid).toEqual({
      status: 1,
      printed: expect.stringMatching(/^Slack refuses SLACK_BOT_TOKEN \(invalid_auth\): .*\n$/),
    });
    expect(invalid.printed).not.toContain('hunter2');
    expect([await db.prisma.organisation.count(), await db.prisma.member.count()]).toEqual(before);

    expect(await adminWithSlack({ ok: true, team_id: 'T2', team: 'New', user_id: 'U1', bot_id: 'B1' })).toMatchObject({
      status: 0,
    });
  });
});
