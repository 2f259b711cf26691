import type { Pool } from 'pg';
import type { FindingStatus } from '../../../workflows/rules/vocabulary';
import { benchSource, type Clients } from './clients';
import type { LifeSystem } from './life-loop';
import type { Product } from './product';

interface Seen {
  id: string;
  status: FindingStatus;
  jiraKey: string | null;
}
interface Wait {
  id: string;
  isOver: (seen: Seen) => boolean;
  over: (seen: Seen) => void;
  failed: (error: Error) => void;
  since: number;
}

const LOOK_EVERY_MS = 50;
const GIVE_UP_MS = 60_000;

/** Lives of the product, driven by HTTP and through the sandbox's Jira; how far they are is read from the databases. */
export function realLives({ db, sandboxDb }: Pick<Product, 'db' | 'sandboxDb'>, { api, jira }: Clients): LifeSystem {
  const finding = createWatch((ids) => readFindings(db, ids));
  const comment = createWatch((keys) => readCommented(sandboxDb, keys));
  const keys = new Map<string, string>();
  let doneId: string | undefined;

  async function transitionToDone(key: string): Promise<string> {
    type Answer = { transitions: { id: string; to: { name: string } }[] };
    const { transitions } = await jira<Answer>('GET', `/rest/api/3/issue/${key}/transitions`);
    const id = transitions.find(({ to }) => to.name === 'Done')?.id;
    if (!id) throw new Error('The sandbox offers no transition to Done.');
    return id;
  }

  return {
    async push(id) {
      await api('POST', '/pushes', { source: benchSource, findings: [id] });
      const { jiraKey } = await finding(id, ({ status, jiraKey }) => status === 'awaiting_fix' && jiraKey !== null);
      keys.set(id, jiraKey ?? '');
    },
    async claim(id) {
      const key = keys.get(id) ?? '';
      doneId ??= await transitionToDone(key);
      await jira('POST', `/rest/api/3/issue/${key}/transitions`, { transition: { id: doneId } });
      await finding(id, ({ status }) => status === 'needs_rerun');
    },
    async pass(ids) {
      const session = await api<{ id: string }>('POST', '/sessions', { source: benchSource, findings: ids });
      const verdicts = ids.map((finding) => ({ finding, verdict: 'pass' }));
      await api('POST', `/sessions/${session.id}/verdicts`, verdicts);
    },
    async ended(id) {
      await finding(id, ({ status }) => status === 'verified');
      await comment(keys.get(id) ?? '', () => true);
    },
  };
}

async function readFindings(db: Pool, ids: string[]): Promise<Seen[]> {
  const { rows } = await db.query<Seen>(
    `select 'F-' || f.number as id, f.status, l.jira_key as "jiraKey"
     from finding f left join issue_link l on l.finding_id = f.id and l.active where f.number = any($1::int[])`,
    [ids.map((id) => Number(id.slice(2)))],
  );
  return rows;
}

async function readCommented(sandboxDb: Pool, keys: string[]): Promise<Seen[]> {
  const { rows } = await sandboxDb.query<Seen>(
    `select i.key as id, 'verified' as status, i.key as "jiraKey" from jira.issues i
     where i.key = any($1) and exists (select from jira.comments c where c.issue_id = i.id)`,
    [keys],
  );
  return rows;
}

/** One look at the database serves everybody who waits. */
function createWatch(read: (ids: string[]) => Promise<Seen[]>) {
  const waits = new Set<Wait>();
  let isLooking = false;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    while (waits.size > 0) {
      const seen = new Map((await read([...waits].map(({ id }) => id))).map((each) => [each.id, each]));
      for (const wait of waits) settle(wait, seen.get(wait.id));
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    isLooking = false;
  }

  function settle(wait: Wait, seen: Seen | undefined): void {
    const isLate = Date.now() - wait.since > GIVE_UP_MS;
    if (seen && wait.isOver(seen)) wait.over(seen);
    else if (isLate) wait.failed(new Error(`${wait.id} is still ${seen?.status ?? 'not there'} after a minute.`));
    else return;
    waits.delete(wait);
  }

  return (id: string, isOver: Wait['isOver']): Promise<Seen> =>
    new Promise((over, failed) => {
      waits.add({ id, isOver, over, failed, since: Date.now() });
      look().catch(failed);
    });
}
