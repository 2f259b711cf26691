import { createEvidenceActivities, type EvidenceDeps } from '../../activities/evidence';
import type { WaitingPicture } from '../../prisma/evidence';
import type { Slot } from '../../prisma/pacing';

const ref = { organisationId: 'o', findingId: 'f' };
const pictured = (id: string): WaitingPicture => ({
  ...{ id, name: `${id}.png`, hash: id.repeat(20), size: 1, contentType: 'image/png' },
  ...{ linkId: 'l', connectionId: 'c', issueId: '1' },
});

/** The pictures of one issue, a Jira that counts its calls, and the slots that are to be had. */
function scripted(ids: string[], slots: Slot[]) {
  const calls = { getIssue: 0, attachmentMeta: 0, addAttachment: 0 };
  const onIssue = new Set<string>();
  const client = {
    getIssue: async () => {
      calls.getIssue += 1;
      return { fields: { attachment: [] } };
    },
    attachmentMeta: async () => {
      calls.attachmentMeta += 1;
      return { enabled: true };
    },
    addAttachment: async () => {
      calls.addAttachment += 1;
    },
  };
  const db = {
    connections: { takeSlot: async () => slots.shift() ?? { kind: 'later', waitMs: 300 }, blockedMs: async () => 0 },
    evidence: {
      waiting: async () => ids.filter((id) => !onIssue.has(id)).map(pictured),
      content: async () => ({ content: Buffer.from('x') }),
      attached: async ({ evidenceId }: { evidenceId: string }) => onIssue.add(evidenceId),
      refused: async () => undefined,
    },
  };
  const deps = { db, jira: { clientFor: async () => client }, pushIntervalMs: 150 } as unknown as EvidenceDeps;
  return { ...createEvidenceActivities(deps), calls, onIssue, slots };
}

const granted: Slot = { kind: 'granted', waitMs: 0 };
const noSlot = { type: 'NoSlot', nextRetryDelay: 300 };

describe('the pace of pictures', () => {
  it('P5 P7 a picture that waits for its turn asks Jira nothing', async () => {
    const { attachPictures, calls } = scripted(['a'], []);
    for (let tries = 1; tries <= 5; tries += 1) await expect(attachPictures(ref)).rejects.toMatchObject(noSlot);
    expect(calls).toEqual({ getIssue: 0, attachmentMeta: 0, addAttachment: 0 });
  });

  it('P5 P7 each turn brings a picture, and costs two reads at most', async () => {
    const { attachPictures, calls, onIssue, slots } = scripted(['a', 'b', 'c'], [granted]);
    await expect(attachPictures(ref)).rejects.toMatchObject(noSlot);
    expect([...onIssue]).toEqual(['a']);
    await expect(attachPictures(ref)).rejects.toMatchObject(noSlot);
    expect(calls).toEqual({ getIssue: 1, attachmentMeta: 1, addAttachment: 1 });
    slots.push(granted, granted);
    await attachPictures(ref);
    expect([...onIssue]).toEqual(['a', 'b', 'c']);
    expect(calls).toEqual({ getIssue: 2, attachmentMeta: 2, addAttachment: 3 });
  });
});
