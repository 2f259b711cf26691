import type { Message } from './blocks/text';

/** The root command as texts name it; what it is called here is configured. */
const NAMED = '/recheck';

/** Commands in texts, such as `/recheck list`; no part of an address or a path. */
const used = /(?<![\w/.])\/recheck(?= [a-z])/g;

/** A message with the root command as it is called here, so that what it names can be typed. */
export function withCommand<M extends Message>(message: M, command: string = NAMED): M {
  if (command === NAMED) return message;
  // Inside JSON, where a message has its texts wherever they are.
  return JSON.parse(JSON.stringify(message).replace(used, () => JSON.stringify(command).slice(1, -1)));
}
