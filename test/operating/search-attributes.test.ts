import type { Client } from '@temporalio/client';
import { registerSearchAttributes } from '../../activities/search-attributes';

const grpc = (code: number) => Object.assign(new Error(`status ${code}`), { code });

/** A Temporal whose operator service answers with `code`, and that knows the attributes `known`. */
function temporal({ code, known }: { code: number; known: string[] }): Client {
  const refuse = async () => Promise.reject(grpc(code));
  const count = async (query: string) => {
    if (known.some((name) => query.startsWith(`${name} =`))) return { count: 0, groups: [] };
    throw new Error('Failed to count workflows', { cause: grpc(3) });
  };
  const operatorService = { listSearchAttributes: refuse, addSearchAttributes: refuse };
  return { connection: { operatorService }, workflow: { count } } as unknown as Client;
}

describe('O4 search attributes', () => {
  const all = ['FindingStatus', 'Severity', 'SourceKey', 'JiraKey', 'OrganisationId'];

  it.each([7, 12])('a Temporal that keeps them to its own tools (status %d) is taken as it is', async (code) => {
    expect(await registerSearchAttributes(temporal({ code, known: all }), 'acme.a1b2')).toBeNull();
    const told = await registerSearchAttributes(temporal({ code, known: ['Severity', 'JiraKey'] }), 'acme.a1b2');
    expect(told).toMatch(/FindingStatus, SourceKey, OrganisationId.*acme\.a1b2.*Keyword.*tcld/);
  });

  it('a Temporal that is away is no refusal', async () => {
    await expect(registerSearchAttributes(temporal({ code: 14, known: all }), 'default')).rejects.toThrow('14');
  });
});
