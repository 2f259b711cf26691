import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseReport } from '../../api/ingest/parse';
import { ReportError } from '../../api/ingest/report-error';
import { projectRoot } from '../../prisma/schema-engine';

const SHIPPED = ['shop.axe.json', 'cart.junit.xml'];

export interface ReportFile {
  path: string;
  name: string;
  format: string;
  /** What the report is about: pages of a site, or the tests of a suite. */
  kind: 'site' | 'suite';
}

/** Something that whoever typed the command has to mend; the message says what. */
export class InputError extends Error {}

/** The reports that come with Recheck: a run of axe-core over a shop, and a run of Jest. */
export function shippedReports(): string[] {
  return SHIPPED.map((name) => join(projectRoot(), 'local', 'demo-reports', name));
}

/** Reads each file once to know what it is, before anything is started. Throws {@link InputError}. */
export async function readReports(paths: string[]): Promise<ReportFile[]> {
  const reports: ReportFile[] = [];
  for (const path of paths) reports.push(await readReport(path));
  return reports;
}

async function readReport(path: string): Promise<ReportFile> {
  if (!existsSync(path)) throw new InputError(`There is no file ${path}.`);
  if (!statSync(path).isFile()) throw new InputError(`${path} is not a file. Name the report itself.`);
  try {
    const { format } = await parseReport({ path });
    return { path, name: basename(path), format, kind: format === 'junit' ? 'suite' : 'site' };
  } catch (error) {
    if (error instanceof ReportError) throw new InputError(`${path} cannot be taken in. ${error.message}`);
    throw error;
  }
}
