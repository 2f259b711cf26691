import type { ApiKeyRow, MemberRow } from '../../prisma/members';
import { isAllowed, operations } from '../../workflows/rules/permissions';
import type { OperationDeps } from './deps';
import { demand, idPageOf, orNotFound, toPage, uuid } from './guard';
import { Refusal } from './refusal';
import type { ApiKeyView, Caller, MemberView, Operations } from './types';

type MemberOperations = Pick<
  Operations,
  | 'callerByApiKey'
  | 'callerBySlackUser'
  | 'listMembers'
  | 'createMember'
  | 'removeMember'
  | 'listApiKeys'
  | 'createApiKey'
  | 'revokeApiKey'
>;

/** Who may ask: members, their API keys, and the caller behind a key or a Slack user. */
export function createMemberOperations({ db }: OperationDeps): MemberOperations {
  const { members } = db;

  async function memberById(caller: Caller, id: string): Promise<MemberRow> {
    const found = await members.find(caller.organisationId, uuid(id, 'The member'));
    return orNotFound(found, `The member ${id}`, 'GET /api/v1/members lists them.');
  }

  return {
    async callerByApiKey(key) {
      const found = await members.byKey(key);
      if (!found) {
        throw new Refusal(
          'unauthenticated',
          'invalid_api_key',
          'The API key is unknown or revoked. Send "Authorization: Bearer <api key>" with a live one.',
        );
      }
      return callerOf(found.member, { via: 'http', scopes: found.scopes.length > 0 ? found.scopes : null });
    },

    async callerBySlackUser(who) {
      const member = await members.bySlackUser(who);
      return member && callerOf(member, { via: 'slack', scopes: null });
    },

    async listMembers(caller, page) {
      demand(caller, 'read');
      const { limit, after } = idPageOf(page);
      return toPage(
        await members.list(caller.organisationId, { after, limit: limit + 1 }),
        limit,
        (row) => row.id,
        memberView,
      );
    },

    async createMember(caller, request) {
      demand(caller, 'manage_members');
      refuseAbove(caller, request.role);
      refuseWiderRole(caller, request.role);
      const { name, role, slackUserId } = request;
      const slackTeamId = slackUserId ? await members.slackTeamOf(caller.organisationId) : null;
      const member = await members.create(caller.organisationId, {
        name,
        role,
        slackTeamId,
        slackUserId: slackUserId ?? null,
      });
      if (!member) throw new Refusal('conflict', 'member_exists', `The Slack user ${slackUserId} is a member already.`);
      return memberView(member);
    },

    async removeMember(caller, id) {
      demand(caller, 'manage_members');
      const member = await memberById(caller, id);
      refuseAbove(caller, member.role);
      if ((await members.remove(caller.organisationId, member.id)) === 'last_owner') {
        throw new Refusal('conflict', 'last_owner', 'This is the last owner. Make somebody else an owner first.');
      }
    },

    async listApiKeys(caller, page) {
      demand(caller, 'manage_members');
      const { limit, after } = idPageOf(page);
      return toPage(
        await members.listKeys(caller.organisationId, { after, limit: limit + 1 }),
        limit,
        (row) => row.id,
        keyView,
      );
    },

    async createApiKey(caller, request) {
      demand(caller, 'manage_members');
      const member = await memberById(caller, request.member);
      refuseForOthers(caller, member);
      const scopes = request.scopes ?? [];
      const unknown = scopes.filter((scope) => scope !== '*' && !(operations as readonly string[]).includes(scope));
      if (unknown.length > 0) {
        throw new Refusal(
          'invalid',
          'unknown_scope',
          `There is no scope ${unknown.join(', ')}. Choose among: *, ${operations.join(', ')}.`,
        );
      }
      refuseWiderScopes(caller, scopes);
      const { key, row } = await members.createKey(caller.organisationId, {
        memberId: member.id,
        name: request.name,
        scopes,
      });
      return { ...keyView(row), key };
    },

    async revokeApiKey(caller, id) {
      demand(caller, 'manage_members');
      const key = await members.findKey(caller.organisationId, uuid(id, 'The API key'));
      const row = orNotFound(key, `The API key ${id}`, 'GET /api/v1/api-keys lists them.');
      refuseAbove(caller, (await memberById(caller, row.memberId)).role);
      await members.revokeKey(caller.organisationId, row.id);
    },
  };
}

/** Nobody hands out, or takes away, rights above their own. */
function refuseAbove(caller: Caller, role: MemberRow['role']): void {
  if (role === 'owner' && caller.role !== 'owner') {
    throw new Refusal('forbidden', 'forbidden', 'Only an owner can do this to an owner. Ask one of them.');
  }
}

/** A key acts as its member: with a peer's key one could approve what one asked for oneself. */
function refuseForOthers(caller: Caller, member: MemberRow): void {
  if (member.id === caller.memberId || ranks[member.role] < ranks[caller.role]) return;
  const who =
    member.role === 'owner'
      ? 'An operator can make one for them (admin-main.js create-key)'
      : 'Only they or an owner can make one';
  throw new Refusal(
    'forbidden',
    'key_for_other',
    `${member.name} is ${member.role} and you are ${caller.role}: a key would let you act as ${member.name}. ${who}; make one for yourself, or for somebody whose role is below yours.`,
  );
}

const ranks = { member: 0, admin: 1, owner: 2 } as const;

/** A key hands out nothing that it may not do itself; a key without scopes may do all that its member may. */
function refuseWiderScopes({ scopes: own }: Caller, wanted: string[]): void {
  if (!own || own.includes('*')) return;
  const wider = wanted.filter((scope) => !own.includes(scope));
  if (wanted.length > 0 && wider.length === 0) return;
  const what = wanted.length === 0 ? 'a key without scopes, which may do everything' : `the scope ${wider.join(', ')}`;
  throw new Refusal(
    'forbidden',
    'scope_missing',
    `This API key may not hand out ${what}. Name scopes that it has itself (${own.join(', ')}), or use a key that has more.`,
  );
}

/** Who is added acts with their role in Slack: a key adds nobody who could do more of what takes an admin than it can. */
function refuseWiderRole({ scopes: own }: Caller, role: MemberRow['role']): void {
  if (!own || own.includes('*')) return;
  const wider = operations.filter((each) => isAllowed(role, each) && !isAllowed('member', each) && !own.includes(each));
  if (wider.length === 0) return;
  throw new Refusal(
    'forbidden',
    'scope_missing',
    `This API key lacks the scope ${wider.join(', ')}, which every ${role} has, so it may not add one. Add a member, or use a key that has more.`,
  );
}

function callerOf(member: MemberRow, rest: Pick<Caller, 'via' | 'scopes'>): Caller {
  const { id, organisationId, name, role } = member;
  return { organisationId, memberId: id, name, role, ...rest };
}

function memberView({ id, name, role, slackUserId }: MemberRow): MemberView {
  return { id, name, role, slackUserId };
}

function keyView({ id, memberId, name, prefix, scopes, createdAt }: ApiKeyRow): ApiKeyView {
  return { id, member: memberId, name, prefix, scopes, createdAt: createdAt.toISOString() };
}
