import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { createConnectionStore } from './connections';
import { createFindingStore } from './findings';
import { PrismaClient } from './generated/client';
import { createLifecycleStore } from './lifecycle';
import { createMemberStore } from './members';
import { createPushStore } from './pushes';
import { createReportStore } from './reports';
import type { SecretBox } from './secret-box';
import { createSessionStore } from './sessions';
import { createSourceStore } from './sources';

export type Db = ReturnType<typeof createDb>;

/** The stores as one object over one connection pool. `close` ends the pool. */
export function createDb({ url, box, poolSize = 20 }: { url: string; box: SecretBox; poolSize?: number }) {
  const pool = new Pool({ connectionString: url, max: poolSize, connectionTimeoutMillis: 5000, query_timeout: 30_000 });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    prisma,
    connections: createConnectionStore({ pool, prisma, box }),
    findings: createFindingStore({ pool }),
    lifecycle: createLifecycleStore({ pool }),
    members: createMemberStore({ prisma }),
    pushes: createPushStore({ pool }),
    reports: createReportStore({ pool }),
    sessions: createSessionStore({ pool }),
    sources: createSourceStore({ prisma }),
    async close(): Promise<void> {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
