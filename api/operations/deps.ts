import type { Logger } from 'pino';
import type { Engine } from '../../activities/engine';
import type { JiraClient } from '../../activities/jira/client';
import type { CheckTarget, ConnectionReport } from '../../activities/jira/connection-check';
import type { JiraAccess } from '../../activities/jira-access';
import type { Db } from '../../prisma/client';

/** What the operations work with; entries build it. */
export type OperationDeps = {
  db: Db;
  engine: Engine;
  jira: Pick<
    JiraAccess,
    'clientOf' | 'clientFor' | 'gatewayOf' | 'oauth' | 'testConnection' | 'ruleCheck' | 'ruleChoices' | 'issuePreview'
  >;
  /** Proves credentials step by step against Jira; without a project, address and credentials alone. */
  checkClient: (client: JiraClient, target: CheckTarget) => Promise<ConnectionReport>;
  jiraClient: (connectionId: string) => Promise<JiraClient>;
  baseUrl: string;
  /** The connect page's links live this long; polls are this far apart (milliseconds). */
  connectLinkMs: number;
  pollMs: number;
  log: Pick<Logger, 'warn'>;
};
