/**
 * Spreads posts over time: one per `everyMs` and channel (Slack allows about one a second). Who comes too early gets a
 * turn of their own and how long it is until then, and is let through when they come back. Per process: several
 * processes together may post faster, and Slack's 429 then holds them back.
 */
export function createPace({ everyMs, now }: { everyMs: number; now: () => number }) {
  const nextFree = new Map<string, number>();
  const turns = new Map<string, number>();

  function forgetThePast(): void {
    const past = now() - 10 * everyMs;
    for (const [who, at] of turns) if (at < past) turns.delete(who);
    for (const [channel, at] of nextFree) if (at < past) nextFree.delete(channel);
  }

  /** 0: post now. Otherwise milliseconds until the turn of `who` in `channel`. */
  return function wait({ channel, who }: { channel: string; who: string }): number {
    const at = now();
    const turn = turns.get(who);
    if (turn !== undefined) {
      if (turn > at) return turn - at;
      turns.delete(who);
      return 0;
    }
    if (nextFree.size + turns.size > 1000) forgetThePast();
    const free = Math.max(nextFree.get(channel) ?? 0, at);
    nextFree.set(channel, free + everyMs);
    if (free <= at) return 0;
    turns.set(who, free);
    return free - at;
  };
}
