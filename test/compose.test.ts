import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DCLinter } from 'dclint';

const root = join(__dirname, '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');

/** Names that stand in .env.example, those in a comment as well: they are explained there. */
const explained = new Set([...read('.env.example').matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]));

interface LintResult {
  messages: { type: string; rule: string; message: string; line: number }[];
}

describe('docker-compose.yml', () => {
  const compose = read('docker-compose.yml');

  it('is valid by the Compose specification', () => {
    const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
    const results: LintResult[] = linter.lintFiles([join(root, 'docker-compose.yml')], false);
    expect(results).toHaveLength(1);
    // Its opinions about the order of keys are warnings.
    expect(results.flatMap(({ messages }) => messages).filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('uses no variable that .env.example does not explain', () => {
    const used = [...compose.matchAll(/(?<!\$)\$\{([A-Z0-9_]+)/g)].map((match) => match[1]);
    expect(used).toContain('POSTGRES_PASSWORD');
    expect(used.filter((name) => !explained.has(name))).toEqual([]);
  });

  it('asks the API and the worker whether they are ready, not only whether they live', () => {
    const asked = [...compose.matchAll(/fetch\('http:\/\/127\.0\.0\.1:(\d+)(\/\w+)'/g)].map((match) => match.slice(1));
    expect(asked).toEqual([
      ['3000', '/readyz'],
      ['9464', '/readyz'],
    ]);
  });

  it('pins every image to an exact release', () => {
    const images = [...compose.matchAll(/^\s+image: (\S+)$/gm)].map((match) => match[1]);
    expect(images.length).toBeGreaterThan(5);
    for (const image of images) expect(image).toMatch(/:\d+\.\d+/);
  });
});

describe('every variable that the configuration reads', () => {
  const known = [...read('activities/config.ts').matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map((match) => match[1]);

  it('is explained in .env.example', () => {
    expect(known).toContain('DATABASE_URL');
    expect(known.filter((name) => !explained.has(name))).toEqual([]);
  });

  it('reaches the containers, or setting it in .env would do nothing', () => {
    const passed = [...read('docker-compose.yml').matchAll(/^ +([A-Z][A-Z0-9_]+): /gm)].map((match) => match[1]);
    expect(known.filter((name) => !passed.includes(name))).toEqual([]);
  });
});
