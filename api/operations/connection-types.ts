// What can be asked about connections to Jira. Shapes are those of the HTTP API; the connect page uses them too.

import type { Caller, Page, PageInput } from './types';

export type ConnectionRequest = {
  siteUrl: string;
  email: string;
  apiToken: string;
  projectKey: string;
  autoSync?: boolean | undefined;
  /** A disconnected connection to the same site, whose links move to the new one. */
  adoptFrom?: string | undefined;
};
export type ConnectionChange = { autoSync?: boolean | undefined; projectKey?: string | undefined };
export type NewToken = { email: string; apiToken: string };

/** One point of a test or of the health; a failed one names its cause and its cure. */
export type Check = {
  name: string;
  ok: boolean;
  cause?: string;
  cure?: string;
  /** Of one that did not fail, where nothing was looked at: nothing to judge by yet, or switched off. */
  state?: 'unknown' | 'off';
  /** What one that did not fail still tells. */
  note?: string;
};
export type ConnectionTest = { ok: boolean; checks: Check[] };

export type ConnectionView = {
  id: string;
  kind: 'api_token' | 'oauth';
  status: 'connected' | 'reconnect_required' | 'disconnected';
  siteUrl: string;
  /** Of an API token's account. */
  email: string | null;
  /** What Atlassian calls the account of a grant, where it said so. */
  accountName: string | null;
  /** Atlassian's id of the account behind the credentials. */
  accountId: string | null;
  projectKey: string;
  autoSync: boolean;
  webhookUrl: string;
  health: {
    ok: boolean;
    reason: string | null;
    lastWebhookAt: string | null;
    lastPollAt: string | null;
    webhookExpiresAt: string | null;
    webhookError: string | null;
    pollError: string | null;
    /** `valid`, or `dead` where somebody has to reconnect. */
    tokenState: 'valid' | 'dead';
    tokenExpiresAt: string | null;
    heldPushes: number;
    lostProjects: string[];
    /** One check per thing that can go wrong. */
    checks: Check[];
  };
};
export type NewConnectionView = ConnectionView & {
  /** Of a connection by API token, this once; an OAuth connection registers its webhooks itself. */
  webhookSecret?: string;
};
export type AdoptableView = {
  id: string;
  projectKey: string;
  disconnectedAt: string;
  links: number;
  /** Keys of the sources that still name it. */
  sources: string[];
};
/** A connection that was ended, whose links a new connection to its site can adopt. */
export type EndedView = AdoptableView & { siteUrl: string };
/** Sources that still name a disconnected connection to the same site, and how to route them to the new one. */
export type ToRoute = { sources: string[]; how: string };

export type NamedId = { id: string; name: string };
export type MappingView = {
  projectKey: string;
  /** False while the lists are only proposed, by the usual names. */
  saved: boolean;
  blockedResolutions: NamedId[];
  blockedStatuses: NamedId[];
  /** What the site and the project have; of the statuses only those of the category Done matter. */
  available: { resolutions: NamedId[]; statuses: NamedId[] };
};
/** By id. */
export type MappingChange = { blockedResolutions: string[]; blockedStatuses: string[] };

export type ConnectionOperations = {
  /** A signed single-use address of the connect page, for this caller alone. */
  connectLink(caller: Caller): Promise<{ url: string; expiresInMs: number; ended: EndedView[] }>;
  /** Refuses whoever may not connect and disconnect, before anything is asked of them. */
  mayConnect(caller: Caller): Promise<void>;
  listConnections(caller: Caller, page?: PageInput): Promise<Page<ConnectionView>>;
  getConnection(caller: Caller, id: string): Promise<ConnectionView>;
  createConnection(
    caller: Caller,
    request: ConnectionRequest,
  ): Promise<NewConnectionView & { webhookSecret: string; adopted: number; toRoute: ToRoute | null }>;
  updateConnection(caller: Caller, id: string, change: ConnectionChange): Promise<ConnectionView>;
  /** Gives a connection by API token a new token, after trying it. */
  reconnect(caller: Caller, id: string, token: NewToken): Promise<ConnectionView>;
  testConnection(caller: Caller, id: string): Promise<ConnectionTest>;
  syncConnection(caller: Caller, id: string): Promise<void>;
  deleteConnection(caller: Caller, id: string): Promise<void>;
  getMapping(caller: Caller, id: string, projectKey: string): Promise<MappingView>;
  putMapping(caller: Caller, id: string, projectKey: string, change: MappingChange): Promise<MappingView>;
};
