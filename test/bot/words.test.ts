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

  it('B9 says an event of another version by its name', () => {
    expect(eventWords({ event: 'came_later', actor: 'Dana', detail: 'x' })).toBe('Came later by Dana: x');
    expect(eventWords({ event: 'constructor', actor: 'Dana', detail: '' })).toBe('Constructor by Dana');
  });
});
