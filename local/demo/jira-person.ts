import type { LocalFile } from '../local-file';

interface Transition {
  id: string;
  to: { name: string };
}

export type JiraPerson = Awaited<ReturnType<typeof createJiraPerson>>;

/** A person in Jira, by Jira's REST API with their own token: what they do fires webhooks. */
export async function createJiraPerson({ jiraUrl, jiraEmail, jiraApiToken }: LocalFile) {
  const authorization = `Basic ${Buffer.from(`${jiraEmail}:${jiraApiToken}`).toString('base64')}`;

  async function ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${jiraUrl}/rest/api/3${path}`, {
      method,
      headers: { authorization, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Jira answered ${response.status} to ${method} ${path}: ${text.slice(0, 300)}`);
    return (text ? JSON.parse(text) : null) as T;
  }

  const { displayName } = await ask<{ displayName: string }>('GET', '/myself');
  return {
    name: displayName,
    /** Moves an issue to the status "Done", with a resolution where one is named. */
    async markDone(key: string, resolution?: string): Promise<void> {
      const { transitions } = await ask<{ transitions: Transition[] }>('GET', `/issue/${key}/transitions`);
      const done = transitions.find(({ to }) => to.name === 'Done');
      if (!done) throw new Error(`Jira offers ${displayName} no transition of ${key} to Done.`);
      const fields = resolution ? { fields: { resolution: { name: resolution } } } : {};
      await ask('POST', `/issue/${key}/transitions`, { transition: { id: done.id }, ...fields });
    },
  };
}
