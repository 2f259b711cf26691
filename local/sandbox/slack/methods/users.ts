import { emailOf, TEAM, userObject } from '../directory';
import { args, type Method, method, SlackError } from './method';

export const userMethods: Record<string, Method> = {
  'users.info': method({ user: args.name }, async ({ directory }, { user }) => {
    const found = await directory.findUser(user);
    if (!found) throw new SlackError('user_not_found');
    return { user: userObject(found) };
  }),
  'users.list': method({}, async ({ directory }) => ({
    members: (await directory.users()).map(userObject),
    cache_ts: Math.floor(Date.now() / 1000),
    response_metadata: { next_cursor: '' },
  })),
  'users.lookupByEmail': method({ email: args.name }, async ({ directory }, { email }) => {
    const people = (await directory.users()).filter((user) => user.role !== 'bot');
    const found = people.find((user) => emailOf(user) === email.toLowerCase());
    if (!found) throw new SlackError('users_not_found');
    return { user: userObject(found) };
  }),
  'team.info': method({}, async () => ({
    team: { id: TEAM.id, name: TEAM.name, domain: TEAM.domain, email_domain: 'acme-qa.example' },
  })),
};
