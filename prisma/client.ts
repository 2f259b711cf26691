import { PrismaPg } from '@prisma/adapter-pg';
import { type ClientBase, Pool } from 'pg';
import { createAdoptionStore } from './adoption';
import { createAutoPushStore } from './auto-push';
import { createConnectionStore } from './connections';
import { createEvidenceStore } from './evidence';
import { createFindingStore } from './findings';
import { PrismaClient } from './generated/client';
import { createGroupedIssueStore } from './grouped-issues';
import { createHealthFactsStore } from './health-facts';
import { createLifecycleStore } from './lifecycle';
import { createMaintenanceStore } from './maintenance';
import { createMemberStore } from './members';
import { createOneTimeLinkStore } from './one-time-links';
import { PreparedClient } from './prepared-client';
import { createPushStore } from './pushes';
import { createReportStore } from './reports';
import type { SecretBox } from './secret-box';
import { createSessionStore } from './sessions';
import { createSourceStore } from './sources';
import { createSyncStore } from './sync';

export type Db = ReturnType<typeof createDb>;

/** The server ends a statement at that time, so that what we give up, a little later, does not come about after all. */
const STATEMENT_MS = 30_000;

/** The stores as one object over one connection pool. `close` ends the pool. */
export function createDb({ url, box, poolSize = 20 }: { url: string; box: SecretBox; poolSize?: number }) {
  const pool = new Pool({
    connectionString: url,
    Client: PreparedClient,
    max: poolSize,
    connectionTimeoutMillis: 5000,
    query_timeout: STATEMENT_MS + 5_000,
    onConnect: prepareConnection,
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    prisma,
    adoption: createAdoptionStore({ pool }),
    autoPush: createAutoPushStore({ pool }),
    connections: createConnectionStore({ pool, box }),
    evidence: createEvidenceStore({ pool }),
    findings: createFindingStore({ pool }),
    groupedIssues: createGroupedIssueStore({ pool }),
    healthFacts: createHealthFactsStore({ pool }),
    lifecycle: createLifecycleStore({ pool }),
    maintenance: createMaintenanceStore({ pool }),
    members: createMemberStore({ prisma }),
    oneTimeLinks: createOneTimeLinkStore({ pool, box }),
    pushes: createPushStore({ pool }),
    reports: createReportStore({ pool }),
    sessions: createSessionStore({ pool }),
    sources: createSourceStore({ prisma, pool }),
    sync: createSyncStore({ pool }),
    async close(): Promise<void> {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

async function prepareConnection(client: ClientBase): Promise<void> {
  // The pool listens while a connection is idle alone. One that breaks in use fails its statements; that says it all.
  client.on('error', () => undefined);
  // Not as a parameter of the connection: PgBouncer refuses those that it does not know.
  await client.query(`set statement_timeout = ${STATEMENT_MS}`);
}
