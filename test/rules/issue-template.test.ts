import fc from 'fast-check';
import {
  descriptionParts,
  fillTemplate,
  type PlaceholderValues,
  placeholders,
  templateMistakes,
} from '../../workflows/rules/issue-template';

const values = (over: Partial<PlaceholderValues> = {}): PlaceholderValues => ({
  ...(Object.fromEntries(Object.keys(placeholders).map((name) => [name, `<${name}>`])) as PlaceholderValues),
  ...over,
});

describe('P7 filling a template in', () => {
  it.each([
    ['{title} on {page}', '<title> on <page>'],
    ['{{title}} is {title}', '{title} is <title>'],
    ['{title}{rule}', '<title><rule>'],
    ['{ title } {} {1} {constructor} {toString}', '{ title } {} {1} {constructor} {toString}'],
    ['{{{title}}}', '{{title}}'],
    ['', ''],
  ])('%j becomes %j', (template, text) => {
    expect(fillTemplate(template, values())).toBe(text);
  });

  it('never fills what it has filled in: the data of a finding cannot ask for more', () => {
    const hostile = values({ title: '{note} {{note}} {details}', page: '$& $1 {title}', note: 'secret' });
    expect(fillTemplate('{title} | {page}', hostile)).toBe('{note} {{note}} {details} | $& $1 {title}');
    fc.assert(
      fc.property(fc.string(), (title) => {
        expect(fillTemplate('a {title} b', values({ title }))).toBe(`a ${title} b`);
      }),
    );
  });

  it('has the standard details where {details} stands alone on a line of the template', () => {
    expect(descriptionParts('Before\n  {details}\t\nAfter')).toEqual(['Before\n', null, '\nAfter']);
    expect(descriptionParts('Say {details} here')).toEqual(['Say {details} here']);
  });
});

describe('P7 mistakes in a template', () => {
  it.each([
    [{ summary: '{titel}' }, 'template.summary', /no placeholder \{titel\}.*\{title\}.*\{\{titel\}\}/],
    [{ summary: '  ' }, 'template.summary', /is empty/],
    [{ summary: '{details}' }, 'template.summary', /no placeholder \{details\}/],
    [{ description: 'see {constructor}' }, 'template.description', /no placeholder \{constructor\}/],
    [{ description: 'see {details} here' }, 'template.description', /on a line of its own/],
    [{ description: '{details}\n{details}' }, 'template.description', /once at most/],
  ])('%j: %s', (template, field, words) => {
    expect(templateMistakes(template)).toEqual([{ field, message: expect.stringMatching(words) }]);
  });

  it('are none in what can be filled in', () => {
    const known = Object.keys(placeholders)
      .map((name) => `{${name}}`)
      .join(' ');
    expect(
      templateMistakes({ summary: known, description: `${known}\n{details}\n{{anything}} { } {"json": 1}` }),
    ).toEqual([]);
    expect(templateMistakes({})).toEqual([]);
  });
});
