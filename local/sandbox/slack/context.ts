import { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import { createDirectory, type Directory } from './directory';
import { createFaults, type Faults } from './faults';
import { createMessages, type Messages } from './messages';
import { createTriggers, type Triggers } from './triggers';
import { createViews, type Views } from './views';

/** A shortcut of the app, as its manifest would name it. */
export interface Shortcut {
  name: string;
  callbackId: string;
}

export interface Settings {
  signingSecret: string;
  botToken: string;
  command: string;
  shortcuts: { global: Shortcut[]; message: Shortcut[] };
  /** Where signed requests go; may change while the sandbox runs. */
  requestUrl: string;
  /** The sandbox's own base URL, known once it listens. */
  baseUrl: string;
}

/** Everything that the parts of the sandbox share. */
export interface Context {
  db: Pool;
  settings: Settings;
  directory: Directory;
  messages: Messages;
  views: Views;
  triggers: Triggers;
  faults: Faults;
  requests: RequestLog;
  /** Modals by id, whose submission the app has not answered yet, and the end of that. */
  submissions: Map<string, Promise<unknown>>;
  /** Emits `change` after every write, for pages that show the state and for scripts that wait. */
  changes: EventEmitter;
}

/** Joins the stores over one pool. */
export function createContext(db: Pool, settings: Settings): Context {
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const changed = () => void changes.emit('change');
  return {
    db,
    settings,
    directory: createDirectory(db),
    messages: createMessages(db, changed),
    views: createViews(db, changed),
    triggers: createTriggers(db),
    faults: createFaults(),
    requests: createRequestLog(),
    submissions: new Map(),
    changes,
  };
}

export interface LoggedRequest {
  method: string;
  args: Record<string, unknown>;
  at: string;
  ok: boolean;
  error?: string;
}

const KEPT_REQUESTS = 2000;

// The log answers "what did the app call?" in tests; it is bounded, and the token never gets into it.
function createRequestLog() {
  let entries: LoggedRequest[] = [];
  return {
    add(entry: LoggedRequest): void {
      entries.push(entry);
      if (entries.length > KEPT_REQUESTS * 2) entries = entries.slice(-KEPT_REQUESTS);
    },
    list: (): LoggedRequest[] => entries.slice(-KEPT_REQUESTS),
    clear(): void {
      entries = [];
    },
  };
}
export type RequestLog = ReturnType<typeof createRequestLog>;
