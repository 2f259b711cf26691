// Who looks, at what, and what the sandbox last said. Every act of the page goes through `act`.
import { toast } from './dom.js';

export const session = {
  userId: new URLSearchParams(location.search).get('user') ?? localStorage.getItem('sandbox-user') ?? 'U0OLIVIA00',
  /** A channel's id, or `home` / `messages` / `about` of the app. */
  place: 'C0ACCESS00',
  thread: null,
  highlighted: null,
  state: null,
};

/** The channel whose messages are shown: the direct message for the app's tabs. */
export function currentChannel() {
  const { state, place } = session;
  return state.channels.find((channel) => channel.id === place) ?? appChannel();
}

/** The direct message with the app. */
export function appChannel() {
  return session.state.channels.find((channel) => channel.kind === 'im');
}

/** True when a tab of the app is shown. */
export function inApp() {
  return ['home', 'messages', 'about'].includes(session.place);
}

/** Where this person is: Messages in place of a Home that the app has not published, or does not have. */
export function shownPlace() {
  return session.place === 'home' && !session.state.home ? 'messages' : session.place;
}

/** Reads what this person sees; the server leaves out the messages of other channels. */
export async function load() {
  const { userId, place, state } = session;
  const channel = inApp() ? (state?.me.id === userId && appChannel()?.id) || `D${userId.slice(1)}` : place;
  const answer = await fetch(`/sandbox/state?user=${userId}&channel=${channel}`);
  if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}`);
  session.state = await answer.json();
  const { channels } = session.state;
  if (inApp() || channels.some((each) => each.id === session.place)) return;
  // A channel that this person does not see, e.g. from an old address.
  session.place = channels[0].id;
  await load();
}

/** Does something as this person. What went wrong is said in a toast unless `quiet`; the answer comes back anyway. */
export async function act(name, body, { quiet = false } = {}) {
  const answer = await fetch(`/sandbox/act/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: session.userId, ...body }),
  });
  const result = await answer.json();
  if (result.error && !quiet) toast(explain(result.error));
  return result;
}

const words = {
  operation_timeout: 'Recheck did not answer within 3 seconds.',
  dispatch_failed: 'Recheck could not be reached. Is it running?',
  http_client_error: 'Recheck refused the request.',
  http_service_error: 'Recheck had an error.',
};

function explain(error) {
  return words[error] ? `${words[error]} (${error})` : error;
}
