import type { Client } from '@temporalio/client';
import { searchAttributes } from '../workflows/contract';
import { grpcStatus } from './temporal-trouble';

const keyword = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
const names = Object.values(searchAttributes).map((key) => key.name);

/** The statuses of gRPC for what somebody may not do, and what a server does not have. */
const refusals: (number | null)[] = [7, 12];
const INVALID_ARGUMENT = 3;

/**
 * Registers the search attributes that workflows set, at every start: the development server's command line only does
 * so for a new database file, and an unknown attribute makes a workflow start fail. Temporal Cloud keeps that to its own
 * tools: where it is refused, and some are missing, the answer says what an operator has to do.
 */
export async function registerSearchAttributes(client: Client, namespace: string): Promise<string | null> {
  try {
    await addMissing(client, namespace);
    return null;
  } catch (error) {
    if (!refusals.includes(grpcStatus(error))) throw error;
  }
  const unknown = await Promise.all(names.map((name) => isUnknown(client, name)));
  const missing = names.filter((_name, index) => unknown[index]);
  if (missing.length === 0) return null;
  return (
    `Temporal does not let Recheck make search attributes, and no workflow starts without ${missing.join(', ')}: make ` +
    `them in the namespace ${namespace} with the type Keyword, at Temporal Cloud in its UI or with tcld namespace ` +
    'search-attributes add.'
  );
}

async function addMissing(client: Client, namespace: string): Promise<void> {
  const { operatorService } = client.connection as unknown as { operatorService: OperatorService };
  const known = await operatorService.listSearchAttributes({ namespace });
  const missing = names.filter((name) => !(name in (known.customAttributes ?? {})));
  if (missing.length === 0) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
  });
}

/** A query that names an attribute which the namespace does not have is refused. */
async function isUnknown(client: Client, name: string): Promise<boolean> {
  try {
    await client.workflow.count(`${name} = 'none'`);
    return false;
  } catch (error) {
    if (grpcStatus(error) === INVALID_ARGUMENT) return true;
    throw error;
  }
}

type OperatorService = {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: object | null }>;
  addSearchAttributes(request: { namespace: string; searchAttributes: { [name: string]: number } }): Promise<unknown>;
};
