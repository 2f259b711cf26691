import { plain } from './plain-text';

/** The names of an issue's status and resolution; null where it was never read, or has none. */
export type IssueStatus = { status: string | null; resolution: string | null };

type Named = { name: string };

/** The names as they are kept. */
export function issueStatus(said: { status: Named; resolution?: Named | null | undefined }): IssueStatus {
  return { status: plain(said.status.name, 255) || null, resolution: plain(said.resolution?.name ?? '', 255) || null };
}

/** Whether an issue says something else than before. */
export function saysOther(before: IssueStatus, now: IssueStatus): boolean {
  return before.status !== now.status || before.resolution !== now.resolution;
}
