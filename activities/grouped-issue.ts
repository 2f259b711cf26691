// A grouped issue hears of the places of its finding as they come and go: one comment per report, never an edit, because
// the description belongs to those who work on the issue.

import { ApplicationFailure } from '@temporalio/common';
import type { Db } from '../prisma/client';
import type { PlacesChanged } from '../workflows/contract';
import { JiraError, toActivityFailure } from './jira/errors';
import { placesComment } from './jira/places-comment';
import type { JiraAccess } from './jira-access';
import { untilSlot } from './slot-line';

type Deps = {
  db: Pick<Db, 'connections' | 'groupedIssues'>;
  jira: Pick<JiraAccess, 'clientFor'>;
  baseUrl: string;
  pushIntervalMs: number;
};

/** The activity that tells an issue of its places. */
export function createGroupedIssueActivities({ db, jira, baseUrl, pushIntervalMs }: Deps) {
  async function takeSlot(connectionId: string): Promise<void> {
    const slot = await db.connections.takeSlot(connectionId, pushIntervalMs, 'bulk');
    const waitMs = await untilSlot(slot, () => db.connections.blockedMs(connectionId));
    if (waitMs > 0) throw notYet(waitMs);
  }

  /** Gives the claim of this attempt back where Jira took nothing. That of one whose worker died stays: it may have commented. */
  async function orRelease(claimed: { findingId: string; reportId: string }, comment: () => Promise<unknown>) {
    try {
      await comment();
    } catch (error) {
      if (error instanceof JiraError && error.kind === 'ambiguous') return;
      if (error instanceof JiraError) await db.groupedIssues.release(claimed);
      throw error;
    }
  }

  return {
    /** Comments on an issue what a report changed about the places of its finding; at most once per report. */
    async updateGroupedIssue(input: PlacesChanged & { organisationId: string; reportId: string }): Promise<void> {
      const { came, gone } = input;
      const material = await db.groupedIssues.material(input);
      if (!material) return;
      const { connectionId, jiraIssueId, number } = material;
      try {
        const client = await jira.clientFor(connectionId);
        await takeSlot(connectionId);
        const findingUrl = `${baseUrl}/findings/F-${number}`;
        const comment = placesComment({ ...material, came, gone, findingUrl });
        const detail = `${came} new, ${gone} gone, now at ${material.count}`;
        // Before the comment: one that may have been said is not said again. The next change lists all places anyway.
        if (!(await db.groupedIssues.claim({ ...input, detail }))) return;
        await orRelease(input, () => client.addComment(jiraIssueId, comment));
      } catch (error) {
        if (!(error instanceof JiraError)) throw error;
        if (error.kind === 'rate-limited') await db.connections.block(connectionId, error.retryAfterMs ?? 5000);
        throw toActivityFailure(error);
      }
    },
  };
}

function notYet(waitMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'NoSlot',
    message: 'Other calls of this connection go first.',
    nextRetryDelay: Math.max(waitMs, 100),
    category: 'BENIGN',
  });
}
