/** What is told of a sync while it runs; numbers are added up, the rest replaces what was said before. */
type Line = {
  site: string;
  reasons: string[];
  webhook: string;
  changed: number;
  checked: number;
  absent: number;
  handedOn: number;
  lost: string[];
  waitMs: number;
  during: string;
  error: string;
};

export type SyncNotes = ReturnType<typeof createSyncNotes>;

/** Keeps what an operator reads of a sync in the Temporal UI; `add` answers the text as Markdown. */
export function createSyncNotes() {
  let known: Partial<Line> = {};
  return {
    add(line: Partial<Line>): string {
      const added = (['changed', 'checked', 'absent', 'handedOn'] as const).flatMap((name) =>
        line[name] === undefined ? [] : [[name, (known[name] ?? 0) + line[name]] as const],
      );
      known = { ...known, ...line, ...Object.fromEntries(added) };
      return describe(known);
    },
  };
}

function describe(known: Partial<Line>): string {
  const {
    site,
    reasons = [],
    webhook,
    changed,
    checked,
    absent,
    handedOn,
    lost = [],
    waitMs = 0,
    during,
    error,
  } = known;
  const lines = [
    site && `**${site}**, because: ${reasons.join(', ')}`,
    webhook && `Webhook: ${webhook}`,
    changed !== undefined && `Changed in Jira: ${changed}`,
    checked !== undefined && `Issues looked at: ${checked}, not there: ${absent ?? 0}`,
    handedOn !== undefined && `Handed on to their findings: ${handedOn}`,
    lost.length > 0 && `Projects that are not visible any more: ${lost.join(', ')}`,
    waitMs > 0 && `Waiting ${Math.ceil(waitMs / 1000)} s (${during}), because Jira asks for it`,
    error && `Ended with: ${error}`,
  ];
  return lines.filter((line) => typeof line === 'string' && line !== '').join('\n\n');
}
