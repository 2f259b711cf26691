import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHome } from '../../local/home';
import { choosePorts } from '../../local/ports';

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
