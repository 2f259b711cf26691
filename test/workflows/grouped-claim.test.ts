import { createGroupedIssueActivities } from '../../activities/grouped-issue';
import { JiraError } from '../../activities/jira/errors';

type Deps = Parameters<typeof createGroupedIssueActivities>[0];

/** An issue that hears of a report, with the claim on that; `comments` are answered one after the other. */
function world(comments: (() => void)[]) {
  const it = { claimed: false, said: 0, blocked: false };
  const { updateGroupedIssue } = createGroupedIssueActivities({
    db: {
      connections: {
        takeSlot: async () => ({ kind: 'granted', waitMs: 0 }),
        blockedMs: async () => 0,
        block: async () => undefined,
      },
      groupedIssues: {
        material: async () => ({
          ...{ connectionId: 'c', jiraIssueId: '1', number: 1, places: [], count: 1, format: 'axe' },
          startedAt: new Date(),
        }),
        claim: async () => {
          const isFirst = !it.claimed;
          it.claimed = true;
          return isFirst;
        },
        release: async () => {
          it.claimed = false;
        },
      },
    } as unknown as Deps['db'],
    jira: {
      clientFor: async () => {
        if (it.blocked) throw new JiraError({ kind: 'rate-limited', operation: 'connect', message: 'Blocked.' });
        return {
          addComment: async () => {
            it.said += 1;
            comments.shift()?.();
          },
        };
      },
    } as unknown as Deps['jira'],
    baseUrl: 'https://recheck.example',
    pushIntervalMs: 0,
  });
  const tell = () => updateGroupedIssue({ organisationId: 'o', reportId: 'r', findingId: 'f', came: 1, gone: 0 });
  return { it, tell };
}

describe('R1 the news on a grouped issue', () => {
  it('R1 is not told again where a worker died after telling it, whatever becomes of the next attempt', async () => {
    const died = () => {
      throw new Error('The worker died.');
    };
    const { it, tell } = world([died]);
    await expect(tell()).rejects.toThrow('The worker died.');
    it.blocked = true;
    await expect(tell()).rejects.toThrow('Blocked.');
    it.blocked = false;
    await tell();
    expect(it.said).toBe(1);
  });

  it('R1 is told again where Jira took nothing', async () => {
    const refused = () => {
      throw new JiraError({ kind: 'unavailable', operation: 'addComment', message: 'Jira answered 503.' });
    };
    const { it, tell } = world([refused]);
    await expect(tell()).rejects.toThrow('Jira answered 503.');
    await tell();
    expect(it.said).toBe(2);
  });
});
