import type { Client } from '@temporalio/client';
import { searchAttributes } from '../workflows/contract';

const keyword = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD

/**
 * Registers the search attributes that workflows set, at every start: the development server's command line only does
 * so for a new database file, and an unknown attribute makes a workflow start fail.
 */
export async function registerSearchAttributes(client: Client, namespace: string): Promise<void> {
  const { operatorService } = client.connection as unknown as { operatorService: OperatorService };
  const known = await operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter((key) => !(key.name in (known.customAttributes ?? {})));
  if (missing.length === 0) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((key) => [key.name, keyword])),
  });
}

type OperatorService = {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: object | null }>;
  addSearchAttributes(request: { namespace: string; searchAttributes: { [name: string]: number } }): Promise<unknown>;
};
