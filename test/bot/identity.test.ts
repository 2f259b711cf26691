import { createIdentity } from '../../bot/identity';

const person = { teamId: 'T1', userId: 'U1' };
const member = { team_id: 'T1' };

describe('who is behind a Slack user', () => {
  const started = (over: { user?: object; now?: () => Date } = {}) => {
    let asked = 0;
    const client = {
      users: {
        info: async () => {
          asked += 1;
          return { user: { ...member, ...over.user } };
        },
      },
    };
    const identity = createIdentity({
      operations: {
        callerBySlackUser: async () => ({
          organisationId: 'o',
          memberId: 'm',
          name: 'Mel',
          role: 'member',
          via: 'slack',
          scopes: null,
        }),
      },
      installerOf: async () => null,
      now: over.now ?? (() => new Date(0)),
    });
    return { ask: () => identity.callerOf(person, client), identity, times: () => asked };
  };

  it.each([
    ['a guest of several channels', { is_restricted: true }],
    ['a guest of one channel', { is_ultra_restricted: true }],
    ['a stranger in a shared channel', { is_stranger: true }],
    ['somebody of another workspace', { team_id: 'T2' }],
    ['somebody whose workspace is not told', { team_id: undefined }],
    ['a bot', { is_bot: true }],
    ['a deactivated account', { deleted: true }],
  ])('refuses %s, member row or not', async (_who, user) => {
    await expect(started({ user }).ask()).rejects.toMatchObject({ name: 'Declined' });
  });

  it('answers the member', async () => {
    expect(await started().ask()).toMatchObject({ memberId: 'm', role: 'member' });
  });

  it('remembers Slack\u2019s answer for ten minutes, or until the person changes', async () => {
    let minutes = 0;
    const { ask, identity, times } = started({ now: () => new Date(minutes * 60_000) });
    await ask();
    minutes = 9;
    await ask();
    expect(times()).toBe(1);
    minutes = 11;
    await ask();
    expect(times()).toBe(2);
    identity.forget(person);
    await ask();
    expect(times()).toBe(3);
  });
});
