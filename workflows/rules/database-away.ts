/** What the network says of a server that cannot be reached. */
const networkCodes = new Set(
  'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN'.split(' '),
);
/** SQLSTATE: connection trouble, out of resources, shutting down or starting, and what took longer than it may. */
const serverCodes = /^(08...|53...|57P0.|57014)$/;
/** Prisma: not reachable, too slow, closed, no connection free, no transaction, too many connections. */
const prismaCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037']);
/** pg has no codes for these. */
const messages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (has encountered a connection error|was closed) and is not queryable)/;

/** Whether an error of a store says that PostgreSQL cannot be reached, or does not get to it: asked later, it may. */
export function isDatabaseAway(error: unknown): boolean {
  // By shape: in tests, what Node itself throws is no `Error` of theirs.
  if (typeof error !== 'object' || error === null) return false;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'string') return typeof message === 'string' && messages.test(message);
  // One that a client of ours lost comes without the system call.
  if (networkCodes.has(code)) return 'syscall' in error || 'errors' in error;
  return serverCodes.test(code) || prismaCodes.has(code) || serverCodes.test(behindPrisma(error));
}

/** The SQLSTATE of an error that Prisma passed on. */
function behindPrisma(error: object): string {
  const { meta } = error as { meta?: { driverAdapterError?: { cause?: { originalCode?: unknown } } } };
  const code = meta?.driverAdapterError?.cause?.originalCode;
  return typeof code === 'string' ? code : '';
}
