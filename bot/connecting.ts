import { connectOffer, disconnectChoice, disconnectConfirmation, disconnected } from './blocks/connections';
import type { Ask } from './listener';

const MANY = 50;
const MANY_SOURCES = 200;

/** A link to the connect page for the one who asks, who has to be admin or owner, and how the connections stand. */
export async function offerConnect(ask: Ask): Promise<void> {
  const { url, expiresInMs, ended } = await ask.operations.connectLink(ask.caller);
  const { items } = await ask.operations.listConnections(ask.caller, { limit: MANY });
  await ask.reply(
    connectOffer({ connections: items, ended, url, minutes: Math.max(1, Math.round(expiresInMs / 60_000)) }),
  );
}

/** Asks which connection is to be ended. Asking takes the same right as doing it. */
export async function offerDisconnect(ask: Ask): Promise<void> {
  await ask.operations.mayConnect(ask.caller);
  const { items } = await ask.operations.listConnections(ask.caller, { limit: MANY });
  await ask.reply(disconnectChoice(items));
}

/** Asks once more. */
export async function confirmDisconnect(ask: Ask, id: string): Promise<void> {
  await ask.operations.mayConnect(ask.caller);
  const connection = await ask.operations.getConnection(ask.caller, id);
  const { items } = await ask.operations.listSources(ask.caller, { limit: MANY_SOURCES });
  const sources = items.filter((source) => source.connection === id).map(({ key }) => key);
  await ask.reply(disconnectConfirmation(connection, { sources }), { replace: true });
}

/** Ends the connection. */
export async function disconnect(ask: Ask, id: string): Promise<void> {
  const connection = await ask.operations.getConnection(ask.caller, id);
  await ask.operations.deleteConnection(ask.caller, id);
  await ask.reply(disconnected(connection), { replace: true });
}
