import type { WebClient } from '@slack/web-api';
import type { PushSummary } from '../api/operations/types';
import { pushCard } from './blocks/push-card';
import {
  createRecovery,
  MAX_BACKOFF_MS,
  type Method,
  renderedHash,
  takeTurn,
  type Undelivered,
} from './delivery-recovery';
import type { Log } from './log';
import { withCommand } from './root-command';

export type OutboxPushCard = {
  id: string;
  organisationId: string;
  batchId: string;
  installationId: string;
  channelId: string;
  ts: string | null;
  hash: string | null;
  attempts: number;
};

/** What the outbox needs of the store of push messages. */
export type OutboxPushCards = Undelivered & {
  claim(ask: { limit: number; leaseMs: number }): Promise<OutboxPushCard[]>;
  nextDueMs(): Promise<number | null>;
  view(push: { organisationId: string; batchId: string }): Promise<PushSummary | null>;
  showed(card: { id: string; ts: string; shown: string }): Promise<void>;
  done(card: { id: string; quietMs: number }): Promise<void>;
};

type PushCardDelivery = {
  cards: OutboxPushCards;
  installations: {
    findById(organisationId: string, id: string): Promise<{ botToken: string } | null>;
    markDisconnected(id: string): Promise<void>;
  };
  command?: string | undefined;
  log: Log;
  quietMs: number;
  slack: (token: string) => WebClient;
  pace: (turn: { channel: string; who: string }) => number;
};

/** Brings the one message of a push up to date: posts it, or updates it in place with what happened since. */
export function createPushCardDelivery(deps: PushCardDelivery): (card: OutboxPushCard) => Promise<void> {
  const { cards, installations, quietMs } = deps;
  const recover = createRecovery(deps);

  return async function deliver(card) {
    const { id, channelId: channel, ts } = card;
    const method: Method = ts === null ? 'post' : 'update';
    try {
      if (ts === null) takeTurn(deps.pace, card);
      const [push, installation] = await Promise.all([
        cards.view(card),
        installations.findById(card.organisationId, card.installationId),
      ]);
      if (!push || !installation) return await cards.postpone({ id, delayMs: MAX_BACKOFF_MS });
      const message = withCommand(pushCard(push), deps.command);
      const shown = renderedHash(message);
      if (shown === card.hash && ts !== null) return await cards.done({ id, quietMs: 0 });
      const client = deps.slack(installation.botToken);
      if (ts === null) {
        const posted = await client.chat.postMessage({ channel, ...message, unfurl_links: false, unfurl_media: false });
        await cards.showed({ id, ts: posted.ts ?? '', shown });
      } else {
        await client.chat.update({ channel, ts, ...message });
        await cards.showed({ id, ts, shown });
      }
      // Progress comes many times a second: what changes meanwhile goes out together.
      await cards.done({ id, quietMs });
    } catch (error) {
      await recover(card, method, error);
    }
  };
}
