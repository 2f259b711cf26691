import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventWords } from '../../bot/blocks/words';
import { auditEvents } from '../../workflows/rules/vocabulary';
import { hostile } from './findings';

describe('the words for the history of a finding', () => {
  it.each([...auditEvents])('B9 says “%s” as a sentence, not as a name', (event) => {
    const words = eventWords({ event, actor: 'Dana', detail: 'Two words' });
    expect(words).not.toMatch(/_/);
    expect(words).toMatch(/^[A-Z].+ /);
    for (const text of hostile) {
      expect(eventWords({ event, actor: text, detail: text })).not.toMatch(/<!(channel|here)|<@U0/);
    }
  });

  it('B9 knows every event that a statement writes by itself', () => {
    const folder = join(__dirname, '..', '..', 'prisma');
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    const statements = files.flatMap(
      (name) => readFileSync(join(folder, name), 'utf8').match(/insert into audit_event[^`]*/g) ?? [],
    );
    const written = statements.flatMap((sql) => sql.match(/(?<=')[a-z]+(?:_[a-z]+)+(?=')/g) ?? []);
    expect(written).toEqual(expect.arrayContaining(['push_asked', 'push_approved', 'places_changed']));
    // Told of a connection, not of a finding; and the channel on which the outbox is woken.
    const known: string[] = [...auditEvents, 'admin_told', 'recheck_cards'];
    expect(written.filter((event) => !known.includes(event))).toEqual([]);
  });

  it('V3 B9 says the note of a verdict, without the claim that Recheck counts', () => {
    const said = (event: string, detail: string) => eventWords({ event, actor: 'Dana', detail });
    expect(said('verdict_fail', 'claim 2: Still <2.1:1>')).toBe(
      'The re-run failed, it is still there (Dana): Still &lt;2.1:1&gt;',
    );
    for (const event of ['verified', 'verdict_fail', 'verdict_skip', 'verdict_unstable']) {
      expect(said(event, 'claim 2: Two words')).toMatch(/: Two words$/);
      expect(said(event, 'claim 2')).not.toMatch(/claim/);
    }
  });

  it('B9 says when the run of a report began as every other moment', () => {
    const detail = 'axe-core report, run began 2026-11-22T22:29:32.038Z';
    const words = eventWords({ event: 'found', actor: 'recheck', detail });
    expect(words).toContain('run began <!date^1795386572^');
    expect(words).toMatch(/\|2026-11-22 22:29 UTC>$/);
    expect(eventWords({ event: 'found', actor: 'recheck', detail: 'run began 2026-99-22T22:29:32Z' })).toContain(
      '2026-99',
    );
  });

  it('B9 says an event of another version by its name', () => {
    expect(eventWords({ event: 'came_later', actor: 'Dana', detail: 'x' })).toBe('Came later by Dana: x');
    expect(eventWords({ event: 'constructor', actor: 'Dana', detail: '' })).toBe('Constructor by Dana');
  });
});
