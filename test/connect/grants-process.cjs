// One of two processes that renew the same grant at the same time: asks for a token other than the one it has, 200
// times, and uses each. Prints how many it got.
const { createDb } = require('../../dist/prisma/client');
const { createSecretBox } = require('../../dist/prisma/secret-box');
const { createGrantRenewal } = require('../../dist/activities/jira-grants');
const { createOauth } = require('../../dist/activities/jira/oauth');

const { databaseUrl, key, app, allowedHttpOrigins, connectionId, times } = JSON.parse(process.argv[2]);

async function run() {
  const box = createSecretBox([{ id: 'k1', key: Buffer.from(key, 'base64') }]);
  const db = createDb({ url: databaseUrl, box, poolSize: 2 });
  const { refresh, sites } = createOauth({ app, timeoutMs: 8_000, allowedHttpOrigins });
  const grants = createGrantRenewal({ connections: db.connections, refresh });
  let { accessToken } = (await db.connections.withCredentials(connectionId)).credentials;
  for (let done = 0; done < times; done += 1) {
    ({ accessToken } = await grants.renew(connectionId, accessToken));
    await sites(accessToken);
  }
  await db.close();
  process.stdout.write(`${times}`);
}

run().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
