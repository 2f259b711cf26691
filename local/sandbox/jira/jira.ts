import type { Faults } from './faults';
import type { RequestLog } from './request-log';
import type { Site } from './site';
import type { Webhooks } from './webhooks';

/** The parts of a running sandbox that its routes work with. */
export interface Jira {
  site: Site;
  faults: Faults;
  webhooks: Webhooks;
  requests: RequestLog;
}
