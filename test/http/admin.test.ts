import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createDb, type Db } from '../../prisma/client';
import { applyMigrations } from '../../prisma/migrate';
import { createSecretBox } from '../../prisma/secret-box';
import { createDatabase } from '../support/database';

const root = join(__dirname, '..', '..');

describe('the admin command', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let db: Db;
  const key = randomBytes(32);
  beforeAll(async () => {
    database = await createDatabase();
    await applyMigrations(database.url);
    db = createDb({ url: database.url, box: createSecretBox([{ id: 'k1', key }]) });
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });
  const admin = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'dist', 'api', 'admin-main.js'), ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: database.url,
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

  it('says what it wants when the arguments are not complete, and makes nothing', async () => {
    const before = await db.prisma.organisation.count();
    const refused = admin('create-organisation', '--name', 'Acme');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/--owner/);
    expect(await db.prisma.organisation.count()).toBe(before);
  });
});
