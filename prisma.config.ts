import { defineConfig } from 'prisma/config';

// Read by the Prisma CLI alone (client generation); migrations are applied by prisma/migrate.ts.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
