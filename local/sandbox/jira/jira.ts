import type { Faults } from './faults';
import type { OauthApp } from './oauth/app';
import type { Points } from './points';
import type { RequestLog } from './request-log';
import type { Site } from './site';
import type { Webhooks } from './webhooks';

/** The parts of a running sandbox that the routes of one site work with. All but `site` and `webhooks` are shared. */
export interface Jira {
  site: Site;
  /** All sites of the sandbox, in order. */
  cloudIds: string[];
  oauth: OauthApp;
  points: Points;
  faults: Faults;
  webhooks: Webhooks;
  requests: RequestLog;
}
