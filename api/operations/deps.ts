import type { Engine } from '../../activities/engine';
import type { JiraClient } from '../../activities/jira/client';
import type { ConnectionReport } from '../../activities/jira/connection-check';
import type { Db } from '../../prisma/client';

export type JiraAccount = { siteUrl: string; email: string; apiToken: string };

/** What the operations work with; entries build it. */
export type OperationDeps = {
  db: Db;
  engine: Engine;
  /** Proves a connection step by step against Jira (features C4). */
  checkConnection: (
    account: JiraAccount,
    target: { projectKey: string; issueType?: string },
  ) => Promise<ConnectionReport>;
  jiraClient: (connectionId: string) => Promise<JiraClient>;
  /** Says that deliveries wait, so that they are relayed at once. */
  wakeRelay: () => void;
  baseUrl: string;
};
