// What a cure names can be typed: every command with the root command before it, as that is called here.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { notice } from '../../bot/blocks/replies';
import { withCommand } from '../../bot/root-command';

describe('B1 the name of the root command', () => {
  it('B1 is the configured one in every text of a message, and in nothing else', () => {
    const said = 'Say `/recheck list`, or "/recheck connect". See <https://a.example/recheck now|it> and /recheck.';
    const { text, blocks } = withCommand(notice(said), '/say"so');
    expect(text).toBe('Say `/say"so list`, or "/say"so connect". See <https://a.example/recheck now|it> and /recheck.');
    expect(blocks).toEqual(notice(text).blocks);
    expect(withCommand(notice(said))).toEqual(notice(said));
  });

  it('B1 stands before every command that a text names', () => {
    const root = join(__dirname, '..', '..');
    const folders = ['bot', 'bot/blocks', 'api/operations', 'workflows/rules'];
    const files = folders.flatMap((folder) =>
      readdirSync(join(root, folder))
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(root, folder, name)),
    );
    // In backquotes inside a text: those of a template are escaped, those of a comment are on lines of their own.
    const names = 'push|approve|rerun|status|list|why|sessions|rules|connect|disconnect|help|\\$\\{verb\\}';
    const bare = new RegExp(`\\\\\`(?:${names})\\b|'[^'\`]*\`(?:${names})\\b[^'\`]*\`[^'\`]*'`);
    const found = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => bare.test(line) && !/^\s*(\/\/|\/?\*)/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });
});
