import type { Caller, Operations } from '../api/operations/types';
import { Declined } from './declined';

export type Person = { teamId: string; userId: string };
type Standing = 'colleague' | 'guest' | 'stranger' | 'not a person';

/** The part of the Web API that is asked; a `WebClient` has it. */
type UserLookup = { users: { info(ask: { user: string }): Promise<{ user?: SlackUser }> } };

const REMEMBERED_MS = 10 * 60_000;
const REMEMBERED_PEOPLE = 10_000;

/**
 * Who is behind a Slack user. Roles live in Recheck's own table; Slack is asked only whether somebody is a full member
 * of the workspace, and its answer is kept for 10 minutes or until Slack says that the person changed.
 */
export function createIdentity(deps: {
  operations: Pick<Operations, 'callerBySlackUser'>;
  installerOf(teamId: string): Promise<string | null>;
  now: () => Date;
}) {
  const known = new Map<string, { standing: Standing; until: number }>();

  async function standingOf(person: Person, client: UserLookup): Promise<Standing> {
    const key = `${person.teamId} ${person.userId}`;
    const now = deps.now().getTime();
    const remembered = known.get(key);
    if (remembered && remembered.until > now) return remembered.standing;
    const { user } = await client.users.info({ user: person.userId });
    const standing = standingIn(person.teamId, user ?? {});
    if (known.size >= REMEMBERED_PEOPLE) known.clear();
    known.set(key, { standing, until: now + REMEMBERED_MS });
    return standing;
  }

  return {
    /** The caller behind a Slack user. Throws `Declined` for guests, strangers, bots and people without a member row. */
    async callerOf(person: Person, client: UserLookup): Promise<Caller> {
      const [standing, caller] = await Promise.all([
        standingOf(person, client),
        deps.operations.callerBySlackUser(person),
      ]);
      if (standing === 'guest') throw new Declined('Guests of this workspace cannot use Recheck. Ask a full member.');
      if (standing === 'stranger')
        throw new Declined('Only people of the workspace that Recheck is installed in can use it.');
      if (standing === 'not a person') throw new Declined('Recheck answers people only, and no deactivated accounts.');
      if (!caller) throw new Declined(await notAMember(person));
      return caller;
    },

    /** Slack said that somebody's account changed: the next act asks Slack again. */
    forget(person: Person): void {
      known.delete(`${person.teamId} ${person.userId}`);
    },
  };

  async function notAMember({ teamId, userId }: Person): Promise<string> {
    const installer = await deps.installerOf(teamId);
    const whom =
      installer && installer !== userId ? `<@${installer}>, who set Recheck up,` : 'an owner or admin of Recheck';
    return `You are not a member in Recheck yet. Ask ${whom} to add you with your Slack member ID ${userId}.`;
  }
}

export type Identity = ReturnType<typeof createIdentity>;

type SlackUser = {
  team_id?: string | undefined;
  deleted?: boolean | undefined;
  is_bot?: boolean | undefined;
  is_stranger?: boolean | undefined;
  is_restricted?: boolean | undefined;
  is_ultra_restricted?: boolean | undefined;
};

function standingIn(teamId: string, user: SlackUser): Standing {
  if (user.deleted || user.is_bot) return 'not a person';
  if (user.is_stranger || user.team_id !== teamId) return 'stranger';
  return user.is_restricted || user.is_ultra_restricted ? 'guest' : 'colleague';
}
