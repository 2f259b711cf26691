import { readFile } from 'node:fs/promises';
import type { FindingView, ReportView } from '../../api/operations/types';
import type { LocalFile } from '../local-file';
import type { ReportFile } from './reports';
import { shared } from './wait-for';

export type Recheck = ReturnType<typeof createRecheck>;

/** Recheck as other programs see it: its HTTP API. */
export function createRecheck({ baseUrl, apiKey, connectionId, jiraProject }: LocalFile) {
  async function ask<T>(method: string, path: string, body?: object | Buffer): Promise<T> {
    const isFile = Buffer.isBuffer(body);
    const response = await fetch(`${baseUrl}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body && !isFile ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: isFile ? new Uint8Array(body) : JSON.stringify(body) } : {}),
    });
    const answer = (await response.json()) as { detail?: string };
    if (!response.ok) throw new Error(`Recheck answered ${response.status} to ${method} ${path}: ${answer.detail}`);
    return answer as T;
  }

  return {
    /** Makes a source that is enabled and routed to the sandbox's project. */
    async createSource({ key, report }: { key: string; report: ReportFile }): Promise<void> {
      const rule = { enabled: true, projectKey: jiraProject };
      const source = { key, name: `${report.name} (${key})`, kind: report.kind, connection: connectionId };
      await ask('POST', '/sources', { ...source, projectKey: jiraProject, rule });
    },
    sendReport: async (key: string, report: ReportFile): Promise<ReportView> =>
      ask('POST', `/sources/${key}/reports`, await readFile(report.path)),
    /** The first findings of a source, by number. */
    findings: async (key: string, limit: number): Promise<FindingView[]> =>
      (await ask<{ items: FindingView[] }>('GET', `/findings?source=${key}&limit=${limit}`)).items,
    /** Reads the findings of these sources, whoever asks how often. */
    watch(keys: string[], limit: number): (id: string) => Promise<FindingView | undefined> {
      const read = shared(() => Promise.all(keys.map((key) => this.findings(key, limit))));
      return async (id) => (await read()).flat().find((finding) => finding.id === id);
    },
    /** The names of the events in a finding's history. */
    events: async (id: string): Promise<string[]> =>
      (await ask<{ history: { event: string }[] }>('GET', `/findings/${id}`)).history.map(({ event }) => event),
  };
}
