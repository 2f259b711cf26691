// Tells admins what happened to a connection, each of them once: direct messages to owners and admins, the workspace's
// channel where none of them can be reached. Swept by the outbox; how a notice looks is decided in blocks/.

import { WebClient } from '@slack/web-api';
import { type ConnectionNotice, connectionNotice } from './blocks/notices';
import { boltLogger, errorFields, type Log } from './log';
import { clientOptions, slackFailure } from './slack-client';

type Addressee = { installationId: string; channelId: string; name: string };
type Claimed = ConnectionNotice & { id: string; organisationId: string; attempts: number };

/** What delivering needs of the notice store. */
type Notices = {
  claim(ask: { leaseMs: number }): Promise<Claimed | null>;
  audience(notice: { organisationId: string; id: string }): Promise<{ admins: Addressee[]; channels: Addressee[] }>;
  told(notice: { id: string; channelIds: string[] }): Promise<Set<string>>;
  markTold(notice: { id: string; organisationId: string; kind: string }, to: Addressee): Promise<void>;
  markSent(notice: { id: string; error?: string }): Promise<void>;
  postpone(notice: { id: string; delayMs: number; error?: string }): Promise<void>;
};

export type NoticesDeps = {
  notices: Notices;
  installations: {
    findById(organisationId: string, id: string): Promise<{ id: string; botToken: string } | null>;
    markDisconnected(id: string): Promise<void>;
  };
  /** The base of the Web API, `https://slack.com/api/`. */
  slackApiUrl: string;
  /** The root command, such as `/recheck`. */
  command: string;
  log: Log;
};

export type NoticeSweep = { wake(): void; stop(): Promise<void> };

/** Longer than all that is done with one notice, while Slack answers each call within its timeout. */
const LEASE_MS = 120_000;
const MAX_BACKOFF_MS = 60_000;

/** What became of one addressee: `unreachable` will stay so, `later` stops this attempt. */
type Told =
  | { kind: 'told' }
  | { kind: 'unreachable'; code: string }
  | { kind: 'later'; delayMs: number; code?: string };

/** The delivery of notices, one round at a time. `wake` looks for due ones now; `stop` lets a round finish. */
export function createNoticeSweep(deps: NoticesDeps): NoticeSweep {
  const { notices, installations, command, log } = deps;
  const options = clientOptions({ slackApiUrl: deps.slackApiUrl, logger: boltLogger(log) });
  let round: Promise<void> | null = null;
  let isStopped = false;

  async function lookForWork(): Promise<void> {
    while (!isStopped) {
      const notice = await notices.claim({ leaseMs: LEASE_MS });
      if (!notice) return;
      await deliver(notice);
    }
  }

  async function deliver(notice: Claimed): Promise<void> {
    const { id } = notice;
    try {
      const { admins, channels } = await notices.audience(notice);
      const told = await notices.told({ id, channelIds: [...admins, ...channels].map((each) => each.channelId) });
      const inPerson = await tellAll(notice, { to: admins, told });
      if (inPerson.later) return await postpone(notice, inPerson.later);
      if (inPerson.reached > 0)
        return await notices.markSent({ id, ...(inPerson.error ? { error: inPerson.error } : {}) });
      const inChannel = await tellAll(notice, { to: channels, told });
      if (inChannel.later) return await postpone(notice, inChannel.later);
      const error = inChannel.error ?? inPerson.error ?? 'nobody can be reached';
      await notices.markSent({ id, ...(inChannel.reached > 0 ? {} : { error }) });
      if (inChannel.reached === 0) log.warn({ notice: id, reason: error }, 'nobody could be told of a connection');
    } catch (error) {
      log.error({ notice: id, ...errorFields(error) }, 'a notice was not delivered; it is tried again');
    }
  }

  async function tellAll(notice: Claimed, { to, told }: { to: Addressee[]; told: Set<string> }) {
    let reached = 0;
    let error: string | undefined;
    for (const addressee of to) {
      const became = told.has(addressee.channelId) ? { kind: 'told' as const } : await tell(notice, addressee);
      if (became.kind === 'later') return { reached, error, later: became };
      if (became.kind === 'told') reached += 1;
      else error = became.code;
    }
    return { reached, error, later: null };
  }

  async function tell(notice: Claimed, to: Addressee): Promise<Told> {
    const installation = await installations.findById(notice.organisationId, to.installationId);
    if (!installation) return { kind: 'unreachable', code: 'not installed' };
    try {
      const message = connectionNotice(notice, { command });
      const quietLinks = { unfurl_links: false, unfurl_media: false };
      await new WebClient(installation.botToken, options).chat.postMessage({
        channel: to.channelId,
        ...message,
        ...quietLinks,
      });
    } catch (error) {
      const failure = slackFailure(error);
      if (failure.kind === 'rate_limited') return { kind: 'later', delayMs: failure.retryAfterMs };
      if (failure.kind === 'disconnected') await installations.markDisconnected(installation.id);
      log.warn({ notice: notice.id, slack: failure.code }, 'Slack did not take a notice');
      if (failure.kind === 'rejected') return { kind: 'unreachable', code: failure.code };
      return { kind: 'later', delayMs: backoffMs(notice.attempts), code: failure.code };
    }
    await notices.markTold(notice, to);
    return { kind: 'told' };
  }

  async function postpone({ id }: Claimed, { delayMs, code }: { delayMs: number; code?: string }): Promise<void> {
    await notices.postpone({ id, delayMs, ...(code ? { error: code } : {}) });
  }

  return {
    wake() {
      if (round !== null || isStopped) return;
      round = lookForWork()
        .catch((error: unknown) => log.error(errorFields(error), 'the notices could not be read; they are tried again'))
        .finally(() => {
          round = null;
        });
    },
    async stop() {
      isStopped = true;
      await round;
    },
  };
}

const backoffMs = (attempts: number) => Math.min(1000 * 2 ** Math.min(attempts - 1, 16), MAX_BACKOFF_MS);
