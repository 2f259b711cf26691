// Pictures of a finding on its issue, each once: the name carries the hash of its content, so what Jira already has is
// known by name, whoever died before writing that down.

import { setTimeout as delay } from 'node:timers/promises';
import { heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Db } from '../prisma/client';
import type { WaitingPicture } from '../prisma/evidence';
import type { JiraClient } from './jira/client';
import { JiraError, toActivityFailure } from './jira/errors';
import type { JiraAccess } from './jira-access';

export type EvidenceDeps = {
  db: Pick<Db, 'connections' | 'evidence'>;
  jira: Pick<JiraAccess, 'clientFor'>;
  pushIntervalMs: number;
};
type FindingRef = { organisationId: string; findingId: string };
type Site = { enabled: boolean; uploadLimit?: number | undefined };
/** Between two signs of life to Temporal, in milliseconds. */
const BEAT_MS = 4000;
const HASH_LENGTH = 12;

/** The activity that brings pictures to issues. */
export function createEvidenceActivities(deps: EvidenceDeps) {
  const { db, jira } = deps;

  async function attachAll(ref: FindingRef, waiting: [WaitingPicture, ...WaitingPicture[]]): Promise<void> {
    const [{ connectionId, issueId }] = waiting;
    // Before the first call: what waits for its turn asks Jira nothing. The reading and the first file share it.
    await takeTurn(deps, connectionId);
    const client = await jira.clientFor(connectionId);
    const names = await attachedNames(client, issueId);
    const site: Site = await client.attachmentMeta();
    let hasTurn = true;
    const turn = async () => {
      if (!hasTurn) await takeTurn(deps, connectionId);
      hasTurn = false;
    };
    for (const picture of waiting) {
      const settled = { ...ref, linkId: picture.linkId, evidenceId: picture.id };
      const name = attachmentName(picture);
      const reason = names.has(name) ? null : await attachOne(deps, { ref, client, site, picture, name, turn });
      if (reason === null) await db.evidence.attached({ ...settled, name });
      else await db.evidence.refused({ ...settled, reason });
    }
  }

  return {
    /**
     * Attaches to a finding's issue what it lacks. What the site does not take (too big, no permission) is noted in the
     * finding's history and left; everything else that fails is tried again from what Jira then has.
     */
    async attachPictures(ref: FindingRef): Promise<void> {
      const [first, ...others] = await db.evidence.waiting(ref);
      if (!first) return;
      const beat = setInterval(() => heartbeat(), BEAT_MS);
      try {
        await attachAll(ref, [first, ...others]);
      } catch (error) {
        throw toActivityFailure(error);
      } finally {
        clearInterval(beat);
      }
    },
  };
}

type Attaching = {
  ref: FindingRef;
  client: JiraClient;
  site: Site;
  picture: WaitingPicture;
  name: string;
  /** Waits for the turn of an upload. */
  turn: () => Promise<void>;
};

/** Null where the picture is on the issue now; otherwise why the site does not take it. */
async function attachOne({ db }: EvidenceDeps, attaching: Attaching): Promise<string | null> {
  const { ref, client, site, picture, name, turn } = attaching;
  if (!site.enabled) return `${name} is not attached: attachments are switched off in Jira.`;
  if (site.uploadLimit !== undefined && picture.size > site.uploadLimit) {
    return `${name} is not attached: it has ${picture.size} bytes, and the site takes ${site.uploadLimit}.`;
  }
  const file = await db.evidence.content(ref.organisationId, picture.id);
  if (!file) return `${name} is not attached: it is not stored any more.`;
  await turn();
  try {
    const content = new Uint8Array(file.content);
    await client.addAttachment(picture.issueId, { filename: name, contentType: picture.contentType, content });
    return null;
  } catch (error) {
    if (!(error instanceof JiraError) || !['rejected', 'forbidden'].includes(error.kind)) throw error;
    return `${name} is not attached: ${error.message}`;
  }
}

async function attachedNames(client: JiraClient, issueId: string): Promise<Set<string>> {
  const issue = await client.getIssue(issueId, { fields: ['attachment'] });
  return new Set((issue.fields?.attachment ?? []).map(({ filename }) => filename));
}

/** `cart.png` -> `cart-0f3c5a1b2d4e.png`: the same picture has the same name, and another one another. */
function attachmentName({ name, hash }: WaitingPicture): string {
  const dot = name.lastIndexOf('.');
  return `${name.slice(0, dot)}-${hash.slice(0, HASH_LENGTH)}${name.slice(dot)}`;
}

/** Jira asked for patience: the activity ends, and begins again when that is over. */
async function demandOpen({ db }: EvidenceDeps, connectionId: string): Promise<void> {
  const blockedMs = await db.connections.blockedMs(connectionId);
  if (blockedMs > 0) throw later(blockedMs);
}

async function takeTurn(deps: EvidenceDeps, connectionId: string): Promise<void> {
  const slot = await deps.db.connections.takeSlot(connectionId, deps.pushIntervalMs, 'bulk');
  if (slot.kind === 'later') throw later(slot.waitMs);
  if (slot.waitMs === 0) return;
  await delay(slot.waitMs);
  await demandOpen(deps, connectionId);
}

function later(waitMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'NoSlot',
    message: 'The connection has no slot for a picture yet.',
    category: 'BENIGN',
    nextRetryDelay: Math.max(waitMs, 100),
  });
}
