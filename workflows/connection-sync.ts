import {
  ActivityFailure,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index';
import { jiraTaskQueue } from './contract';
import { createSyncNotes, type SyncNotes } from './rules/sync-notes';
import {
  type ChangesPage,
  type ChangesSearch,
  type ConnectionRef,
  type Step,
  type SyncInput,
  type SyncReason,
  type SyncResult,
  type SyncStart,
  syncSignal,
} from './sync-contract';

const { beginSync, endSync } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '30s',
  summary: 'PostgreSQL',
});
const { ensureWebhook, readChanges, checkIssues } = proxyActivities<Activities>({
  taskQueue: jiraTaskQueue,
  startToCloseTimeout: '5m',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '2s', maximumInterval: '1m' },
});

type Ready = Extract<SyncStart, { kind: 'ready' }>;
type Round = { ended: SyncResult['ended']; handedOn: number; lookedAt: number; polled?: true };

/** Polling goes on without the webhook. */
const webhookTimeout = { summary: 'Dynamic webhook', scheduleToCloseTimeout: '2m' } as const;

/** After these everything tracked is looked at, because nobody knows what was missed. */
const catchesUp: SyncReason[] = ['asked', 'restored', 'connected'];

/**
 * Brings one connection up to date: releases its held pushes, sees to its dynamic webhook, and reads what changed in
 * Jira, by a round for all the reasons that have come in. When Jira asks for patience the run waits in a timer.
 */
export async function connectionSync(input: SyncInput): Promise<SyncResult> {
  const waiting: SyncReason[] = [...input.reasons];
  setHandler(syncSignal, (reason) => {
    waiting.push(reason);
  });
  const notes = createSyncNotes();
  const total: SyncResult = { ended: 'done', handedOn: 0, lookedAt: 0 };
  await condition(() => waiting.length > 0);
  while (waiting.length > 0) {
    const reasons = [...new Set(waiting.splice(0))];
    const round = await runRound(input, reasons, notes);
    total.ended = round.ended;
    total.handedOn += round.handedOn;
    total.lookedAt += round.lookedAt;
    if ((round.ended === 'done' || round.polled) && reasons.includes('hint')) await lookAgainLater(input, waiting);
    if (waiting.length > 0 && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof connectionSync>({ ...input, reasons: waiting });
    }
  }
  return total;
}

/**
 * A hint comes before Jira's search index knows of the change, so one more look follows when the index has caught up.
 * Hints that come in until then are part of it; anything else is worked off at once.
 */
async function lookAgainLater({ indexLagMs }: SyncInput, waiting: SyncReason[]): Promise<void> {
  if (indexLagMs <= 0) return;
  const urgent = () => waiting.some((reason) => reason !== 'hint');
  await condition(urgent, indexLagMs, { summary: "Let Jira's search index catch up" });
  if (waiting.length === 0) waiting.push('second_look');
}

async function runRound(ref: ConnectionRef, reasons: SyncReason[], notes: SyncNotes): Promise<Round> {
  const round: Round = { ended: 'done', handedOn: 0, lookedAt: 0 };
  const { organisationId, connectionId } = ref;
  const begun = await beginSync({ organisationId, connectionId, reasons });
  if (begun.kind !== 'ready') return { ...round, ended: begun.kind };
  const show = (line: Partial<Parameters<SyncNotes['add']>[0]>) => setCurrentDetails(notes.add(line));
  show({ site: begun.siteUrl, reasons });
  const waits = (summary: string) => async (waitMs: number) => {
    show({ waitMs, during: summary });
    await sleep(waitMs, { summary: `Jira asks to wait: ${summary}` });
    show({ waitMs: 0 });
  };
  async function seeToWebhook(): Promise<void> {
    const seen = await patiently(
      () => ensureWebhook.executeWithOptions(webhookTimeout, [{ organisationId, connectionId }]),
      waits('webhook'),
    );
    show({ webhook: `${seen.webhook} ${seen.projects.join(', ')}`.trim() });
  }
  try {
    const failure = begun.isOauth ? await failureOf(seeToWebhook) : null;
    // Polls are what is left then.
    if (failure && !(begun.polls && patched('poll-without-webhook'))) throw failure;
    if (begun.polls) await poll({ ref: { organisationId, connectionId }, begun, reasons, round, show, waits });
    if (failure) {
      round.polled = true;
      throw failure;
    }
    return round;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    const said = error.cause?.message ?? error.message;
    const reason = round.polled
      ? `Jira's webhook could not be seen to, so changes are found by polls alone. ${said}`
      : said;
    const { isBroken } = await endSync({ organisationId, connectionId, startedAt: begun.startedAt, error: reason });
    show({ error: reason });
    return { ...round, ended: isBroken ? 'broken' : 'failed' };
  }
}

/** What an activity failed of; null where the work was done. */
async function failureOf(work: () => Promise<void>): Promise<ActivityFailure | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    return error;
  }
}

type PollInput = {
  ref: ConnectionRef;
  begun: Ready;
  reasons: SyncReason[];
  round: Round;
  show: (line: Partial<Parameters<SyncNotes['add']>[0]>) => void;
  waits: (summary: string) => (waitMs: number) => Promise<void>;
};

/** What changed since the last poll and a share of the tracked issues; or all of them, where something may be missed. */
async function poll({ ref, begun, reasons, round, show, waits }: PollInput): Promise<void> {
  const { since, startedAt } = begun;
  const everything = since === null || reasons.some((reason) => catchesUp.includes(reason));
  if (!everything) {
    let next: ChangesSearch | null = null;
    do {
      const page: ChangesPage = await changesPage(next);
      round.handedOn += page.handedOn;
      round.lookedAt += page.seen;
      next = page.next;
      show({ changed: page.seen, handedOn: page.handedOn });
    } while (next !== null);
  }
  for (;;) {
    const checked = await patiently(
      () =>
        checkIssues.executeWithOptions({ summary: everything ? 'Look at every issue' : 'Are the issues there?' }, [
          { ...ref, startedAt, everything },
        ]),
      waits('issues'),
    );
    round.handedOn += checked.handedOn;
    round.lookedAt += checked.lookedAt;
    show({ checked: checked.lookedAt, absent: checked.absent, handedOn: checked.handedOn, lost: checked.lostProjects });
    if (!everything || checked.lookedAt === 0) break;
  }
  await endSync({ ...ref, startedAt, error: null });

  function changesPage(next: ChangesSearch | null) {
    const input = { ...ref, since: since ?? startedAt, startedAt, next };
    return patiently(
      () => readChanges.executeWithOptions({ summary: `Changed since ${since}` }, [input]),
      waits('changes'),
    );
  }
}

/** Does a step, as often as Jira asks to come again later. */
async function patiently<T>(
  step: () => Promise<Step<T>>,
  wait: (waitMs: number) => Promise<void>,
): Promise<{ kind: 'done' } & T> {
  for (;;) {
    const end = await step();
    if (end.kind === 'done') return end;
    await wait(Math.max(end.waitMs, 1000));
  }
}
