import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Home, openHome } from '../../local/home';
import { choosePorts, onFreePorts, type Ports } from '../../local/ports';
import { createProcesses, type Processes } from '../../local/processes';
import { startTemporal } from '../../local/temporal';
import { answersReady, readyLine, untilReady } from '../../local/until-ready';

const SERVER = 'require("net").createServer().listen(PORT, "127.0.0.1", () => console.log(`{"ready":true}`))';

describe('the ports of a home', () => {
  it('are near the default where that is taken, and the same at the next start', async () => {
    const home = openHome(mkdtempSync(join(tmpdir(), 'recheck-ports-')));
    const other = createServer();
    try {
      const before = await choosePorts(home);
      await new Promise<void>((resolve) =>
        other.once('error', () => resolve()).listen(before.api, '127.0.0.1', resolve),
      );
      const now = await choosePorts(home);
      expect(now.api).not.toBe(before.api);
      expect(now.api).toBeLessThan(3020);
      await new Promise((resolve) => other.close(resolve));
      expect((await choosePorts(home)).api).toBe(now.api);
      expect(new Set(Object.values(now)).size).toBe(Object.keys(now).length);
    } finally {
      other.close();
      rmSync(home.dir, { recursive: true, force: true });
    }
  });
});

describe('ports that are taken between the look and the start', () => {
  let home: Home;
  let ports: Ports;
  let processes: Processes;
  let deaths: string[];
  let said: string[];
  let others: Server[];

  beforeEach(async () => {
    home = openHome(mkdtempSync(join(tmpdir(), 'recheck-taken-')));
    ports = await choosePorts(home, { anyFree: true });
    [deaths, said, others] = [[], [], []];
    processes = createProcesses(home, ({ name }, how) => deaths.push(`${name}: ${how}`));
  });
  afterEach(async () => {
    await processes.stopAll();
    for (const other of others) other.close();
    rmSync(home.dir, { recursive: true, force: true });
  });

  const progress = { say: (line: string) => said.push(line), step: <T>(_: string, work: () => Promise<T>) => work() };
  const group = { processes: ['server', 'beside'], ports: ['api'] as const };

  async function take(port: number): Promise<void> {
    const other = createServer();
    others.push(other);
    await new Promise<void>((resolve, reject) => other.once('error', reject).listen(port, '127.0.0.1', resolve));
  }
  function launch(name: string, code: string) {
    return processes.start({ name, file: process.execPath, args: ['-e', code.replace('PORT', String(ports.api))] });
  }
  async function serve(): Promise<number> {
    const server = launch('server', SERVER);
    await untilReady(server, () => readyLine(server));
    return ports.api;
  }
  const starting = (start: () => Promise<number>) =>
    onFreePorts({ home, processes, progress, ports }, { ...group, ports: [...group.ports] }, start);

  it('are chosen anew and remembered, and what was started together is started again', async () => {
    const before = { ...ports };
    const beside: { hasEnded(): boolean }[] = [];
    const port = await starting(async () => {
      if (others.length === 0) await take(ports.api);
      beside.push(launch('beside', 'setInterval(() => {}, 1000)'));
      return serve();
    });
    expect(port).not.toBe(before.api);
    expect(ports).toEqual({ ...before, api: port });
    expect(home.read('ports.json')).toEqual(ports);
    expect(beside.map((process) => process.hasEnded())).toEqual([true, false]);
    expect(said).toEqual([expect.stringMatching(/^A port of server was taken .* started again with others\.$/)]);
    expect(deaths).toEqual([]);
  });

  it('are said with the cure where it happens again and again', async () => {
    const failure = starting(async () => {
      await take(ports.api);
      return serve();
    });
    await expect(failure).rejects.toThrow(
      /taken by another program .* 5 times\. Run the command again\.\s.*EADDRINUSE/s,
    );
    expect(deaths).toEqual([]);
  });

  it('are not what other deaths are taken for', async () => {
    const failure = starting(async () => {
      const server = launch('server', 'console.log("no memory"); process.exit(3)');
      await untilReady(server, () => readyLine(server));
      return 0;
    });
    await expect(failure).rejects.toThrow('server ended while it started. Its log says:\nno memory');
    expect(deaths).toEqual(['server: exit code 3']);
    expect(said).toEqual([]);
  });

  it('are not believed to be those of our Temporal because another server answers there', async () => {
    const asked = createServer();
    others.push(asked);
    const isAsked = new Promise<void>((resolve) => asked.once('connection', () => resolve()));
    await new Promise<void>((resolve) => asked.listen(ports.temporal, '127.0.0.1', resolve));
    const [binary, go] = [home.path('temporal.sh'), home.path('go')];
    // A panic of Go: what matters stands above a long stack.
    const says = 'panic: listen tcp: bind: address already in use';
    writeFileSync(
      binary,
      `#!/bin/sh\nwhile [ ! -e ${go} ]; do sleep 0.05; done\necho "${says}" >&2\nseq 100 >&2\nexit 1\n`,
      {
        mode: 0o755,
      },
    );
    const start = processes.starting(['temporal'], () => startTemporal({ binary, processes, port: ports.temporal }));
    const end = start.then(
      () => 'ready',
      (error: Error) => error.message,
    );
    await isAsked;
    writeFileSync(go, '');
    expect(await end).toBe(`${says}\n1`);
    expect(deaths).toEqual([]);
  });
});

describe('the port of the API', () => {
  it('is not ours because another Recheck is ready there', async () => {
    const other = createHttpServer((request, response) => {
      const isOwner = request.headers.authorization === 'Bearer theirs';
      response.writeHead(request.url === '/readyz' || isOwner ? 200 : 401).end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    try {
      await expect(answersReady(url, 'theirs')).resolves.toBe(true);
      await expect(answersReady(url, 'ours')).rejects.toThrow(/answers 401 to the owner's API key/);
    } finally {
      other.close();
    }
  });
});

describe('a broken ports.json', () => {
  it.each(['{"api": 30', 'null', '{"api": "x", "jira": 99999999}'])('counts as none: %s', async (text) => {
    const home = openHome(mkdtempSync(join(tmpdir(), 'recheck-ports-')));
    try {
      writeFileSync(home.path('ports.json'), text);
      const ports = await choosePorts(home, { anyFree: true });
      expect(home.read('ports.json')).toEqual(ports);
      for (const port of Object.values(ports)) expect(port).toBeLessThan(65_536);
    } finally {
      rmSync(home.dir, { recursive: true, force: true });
    }
  });
});
