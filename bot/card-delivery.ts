import type { WebClient } from '@slack/web-api';
import { findingCard } from './blocks/finding-card';
import { threadReply, toldEvents } from './blocks/thread-reply';
import { createRecovery, MAX_BACKOFF_MS, type Method, renderedHash, takeTurn } from './delivery-recovery';
import type { Log } from './log';
import type { OutboxCard, OutboxDeps } from './outbox';
import { withCommand } from './root-command';

export type CardDelivery = Pick<OutboxDeps, 'cards' | 'installations' | 'command'> & {
  log: Log;
  quietMs: number;
  slack: (token: string) => WebClient;
  pace: (turn: { channel: string; who: string }) => number;
};

type Shown = { ts: string; hash: string; event: string };

/**
 * Brings one claimed card up to date: posts or updates the message, then tells its thread what happened since.
 * Every end is written to the store. Slack has no idempotency key: a post whose answer is lost is made again.
 */
export function createDelivery(deps: CardDelivery): (card: OutboxCard) => Promise<void> {
  const { cards, installations, quietMs } = deps;
  const recover = createRecovery(deps);

  return async function deliver(card) {
    let method: Method = card.ts === null ? 'post' : 'update';
    try {
      // Before anything is read: in a bulk most cards only learn here when their turn is.
      if (card.ts === null) takeTurn(deps.pace, card);
      const [view, installation] = await Promise.all([
        cards.view(card, toldEvents),
        installations.findById(card.organisationId, card.installationId),
      ]);
      if (!view || !installation) return await cards.postpone({ id: card.id, delayMs: MAX_BACKOFF_MS });
      const client = deps.slack(installation.botToken);
      const { shown, calls } = await show(client, card, view);
      method = 'post';
      // A card that was just posted says it all; its thread starts with the next change.
      const news = card.ts === null || card.shown === null ? [] : view.untold;
      for (const event of news) await tell(client, { card, shown, event, finding: view.finding.id });
      await cards.done({ id: card.id, quietMs: card.ts !== null && calls > 0 ? quietMs : 0 });
    } catch (error) {
      await recover(card, method, error);
    }
  };

  async function show(
    client: WebClient,
    card: OutboxCard,
    view: NonNullable<View>,
  ): Promise<{ shown: Shown; calls: number }> {
    const message = withCommand(findingCard(view.finding), deps.command);
    const hash = renderedHash(message);
    const { id, channelId: channel } = card;
    if (card.ts === null) {
      const { ts = '' } = await client.chat.postMessage({ channel, ...message, ...quietLinks });
      const shown = { ts, hash, event: view.lastEventId };
      await cards.showed({ id, ...shown });
      return { shown, calls: 1 };
    }
    const shown = { ts: card.ts, hash, event: card.shown?.event ?? view.lastEventId };
    if (card.shown?.hash === hash) return { shown, calls: 0 };
    await client.chat.update({ channel, ts: card.ts, ...message });
    await cards.showed({ id, ...shown });
    return { shown, calls: 1 };
  }

  type Told = { card: OutboxCard; shown: Shown; event: NonNullable<View>['untold'][number]; finding: string };

  async function tell(client: WebClient, { card, shown, event, finding }: Told): Promise<void> {
    takeTurn(deps.pace, card);
    const message = withCommand(threadReply({ ...event, id: finding }), deps.command);
    await client.chat.postMessage({ channel: card.channelId, thread_ts: shown.ts, ...message, ...quietLinks });
    await cards.showed({ id: card.id, ...shown, event: event.id });
  }
}

type View = Awaited<ReturnType<OutboxDeps['cards']['view']>>;

const quietLinks = { unfurl_links: false, unfurl_media: false } as const;
