// The demo as somebody types it: a process of its own that starts a whole Recheck and drives it from outside.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../prisma/schema-engine';

const SECONDS = 240;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recheck-demo-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('npm run demo', () => {
  it(
    'drives the shipped reports round the loop and ends well',
    async () => {
      const { code, output } = await demo();
      expect(output).toContain('ingested 6 findings (axe-core)');
      expect(output).toContain('ingested 3 findings (junit)');
      expect(output).toMatch(/F-1 +pushed as ACC-\d+/);
      expect(output).toContain("resolution Won't Do");
      expect(output).toMatch(/F-2 +failed: .* presses Fail/);
      expect(output).toContain('second round');
      expect(output.match(/ verified +as it should/g)).toHaveLength(8);
      expect(output.match(/ blocked +as it should/g)).toHaveLength(1);
      expect(code).toBe(0);
    },
    SECONDS * 1000,
  );

  it(
    'ends with 1 and names the finding that --break leaves unverified',
    async () => {
      const report = fileOf('one.xml', junit(['total', 'discount']));
      const { code, output } = await demo('--break', report);
      expect(output).toContain('F-1 is needs_rerun and should be verified.');
      expect(output).not.toContain('F-2 is');
      expect(code).toBe(1);
    },
    SECONDS * 1000,
  );

  it.each([
    { what: 'a file that is not there', file: () => join(folder, 'nowhere.xml'), says: 'There is no file' },
    { what: 'a folder', file: () => folder, says: 'is not a file' },
    { what: 'JSON that is no report', file: () => fileOf('a.json', '{"a":1}'), says: 'no report that is known' },
    { what: 'XML that is cut off', file: () => fileOf('a.xml', '<testsuites><testsuite'), says: 'cannot be taken in' },
    { what: 'an unknown option', file: () => '--frobnicate', says: 'Say: npm run demo' },
  ])('refuses $what with 2 before it starts anything', async ({ file, says }) => {
    const { code, output } = await demo(file());
    expect(output).toContain(says);
    expect(output).not.toContain('PostgreSQL');
    expect(code).toBe(2);
  });
});

function demo(...args: string[]): Promise<{ code: number | null; output: string }> {
  const entry = join(projectRoot(), 'dist', 'local', 'demo.js');
  if (!existsSync(entry)) throw new Error(`${entry} is not there. Run the tests with "npm test", which builds first.`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', reject).once('close', (code) => resolve({ code, output }));
  });
}

function fileOf(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function junit(failing: string[]): string {
  const cases = failing.map(
    (name) => `<testcase classname="Cart" name="${name}"><failure message="no">x</failure></testcase>`,
  );
  return `<testsuites><testsuite name="cart" timestamp="${new Date().toISOString()}">${cases.join('')}</testsuite></testsuites>`;
}
