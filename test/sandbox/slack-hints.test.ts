import { help } from '../../bot/blocks/replies';
import { COMMAND_HINTS } from '../../local/sandbox/slack/hints';

it('B1 the composer of the sandbox offers the words of the help, all of them, in its order', () => {
  const usages = [...help('/recheck').text.matchAll(/^• `\/recheck (\w+)/gm)].map((match) => match[1]);
  expect(usages.length).toBeGreaterThan(5);
  expect(COMMAND_HINTS.map(([word]) => word)).toEqual([...new Set(usages)]);
});
