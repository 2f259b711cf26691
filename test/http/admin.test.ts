import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Db } from '../../prisma/client';
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
  const admin = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'dist', 'api', 'admin-main.js'), ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: stores.url,
        ENCRYPTION_KEYS: `k1:${key.toString('base64')}`,
        BASE_URL: 'http://127.0.0.1:1',
      },
    });

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
});
