import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Given {
  env: NodeJS.ProcessEnv;
  downloads: string;
  progress?: (line: string) => void;
}

const NOWHERE = 'http://127.0.0.1:9';
let folder: string;
let path: string;

/** A fresh copy of the module each time: within a process it fetches once. */
function ensure(given: Given): Promise<string> {
  let result: Promise<string> | undefined;
  jest.isolateModules(() => {
    result = require('../../local/temporal-binary.cjs').ensureTemporalBinary(given);
  });
  return result as Promise<string>;
}

function program(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

describe('where the Temporal server comes from', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recheck-temporal-'));
    path = join(folder, 'bin');
    mkdirSync(path);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const env = () => ({ PATH: path, XDG_CACHE_HOME: folder });
  const cached = () => join(folder, 'recheck', 'temporal-1.5.1', 'temporal');

  it('is PATH first, then the cache, both without a word', async () => {
    const said: string[] = [];
    mkdirSync(join(cached(), '..'), { recursive: true });
    program(cached(), 'exit 0');
    const given = { env: env(), downloads: NOWHERE, progress: (line: string) => said.push(line) };
    expect(await ensure(given)).toBe(cached());
    program(join(path, 'temporal'), 'exit 0');
    expect(await ensure(given)).toBe(join(path, 'temporal'));
    expect(said).toEqual([]);
  });

  it('is downloaded into the cache, once for all who ask at the same moment', async () => {
    const vendor = await serveArchive();
    try {
      const given = { env: env(), downloads: `http://127.0.0.1:${(vendor.server.address() as AddressInfo).port}` };
      const [first, second] = await Promise.all([ensure(given), ensure(given)]);
      expect([first, second]).toEqual([cached(), cached()]);
      expect(spawnSync(first, { encoding: 'utf8' }).stdout).toBe('downloaded\n');
      expect(vendor.requests).toEqual([expect.stringMatching(/^\/v1\.5\.1\?platform=\w+&arch=\w+$/)]);
      expect(readdirSync(join(cached(), '..'))).toEqual(['temporal']);
    } finally {
      vendor.server.close();
    }
  });

  it('is built with Go where nothing can be downloaded, also after a build that was killed', async () => {
    program(join(path, 'go'), 'echo \'#!/bin/sh\necho "$1"\' > "$GOBIN/temporal" && /bin/chmod +x "$GOBIN/temporal"');
    const lock = join(cached(), '..', 'lock');
    mkdirSync(lock, { recursive: true });
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(lock, 'pid'), String(dead));
    const said: string[] = [];
    const made = await ensure({ env: env(), downloads: NOWHERE, progress: (line) => said.push(line) });
    expect(made).toBe(cached());
    expect(said.join('\n')).toContain('Building the Temporal dev server 1.5.1 with Go');
    expect(existsSync(lock)).toBe(false);
  });

  it('is one clear message with the ways to get one, where a build fails', async () => {
    program(join(path, 'go'), 'echo "no such module" >&2; exit 1');
    const failure = ensure({ env: env(), downloads: NOWHERE });
    await expect(failure).rejects.toThrow(/no such module[\s\S]*TEMPORAL_ADDRESS/);
  });
});

/** The vendor's archive server, with an archive that holds a script in place of the binary. */
async function serveArchive(): Promise<{ server: Server; requests: string[] }> {
  const content = join(folder, 'content');
  mkdirSync(content);
  program(join(content, 'temporal'), 'echo downloaded');
  const archive = spawnSync('tar', ['-czf', '-', '-C', content, 'temporal']).stdout;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, requests };
}
