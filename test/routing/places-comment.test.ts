import { documentLength, TEXT_LIMIT } from '../../activities/jira/adf';
import { placesComment } from '../../activities/jira/places-comment';

const news = {
  ...{ number: 12, findingUrl: 'https://recheck.example/findings/F-12', came: 1, gone: 2, format: 'axe-core' },
  startedAt: new Date('2026-01-31T09:30:00Z'),
};
const places = (count: number, page: string) =>
  Array.from({ length: count }, (_, index) => ({ page: `${page}${index}`, selector: '#one' }));

describe('R1 the comment on a grouped issue', () => {
  it('lists the places, and how many more there are', () => {
    const said = JSON.stringify(placesComment({ ...news, places: places(50, 'https://shop.example/'), count: 80 }));
    expect(said).toMatch(/1 new place, 2 places gone.*axe-core report of 2026-01-31 09:30 UTC.*seen at 80 places now/);
    expect(said).toContain('https://shop.example/49');
    expect(said).toContain('and 30 more');
  });

  it.each([
    [1_900, true],
    [20_000, false],
  ])('stays within what Jira takes with addresses of %i characters', (length, isCut) => {
    const long = `https://shop.example/${'x'.repeat(length)}`;
    const comment = placesComment({ ...news, places: places(50, long), count: 50 });
    expect(documentLength(comment)).toBeLessThanOrEqual(TEXT_LIMIT);
    expect(JSON.stringify(comment).includes('more, listed in Recheck')).toBe(isCut);
  });
});
