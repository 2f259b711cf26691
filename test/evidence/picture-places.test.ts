import { type NamedPicture, placePictures } from '../../prisma/picture-places';
import type { Coverage } from '../../workflows/rules/report-verdict';

const coverage: Coverage = {
  kind: 'tests',
  tests: new Map([['cart › is empty', [{ file: 'cart.spec.ts', project: null, outcome: 'passed' }]]]),
};
function finding(id: string, attachments: unknown, page = `${id}.spec.ts`) {
  const occurrences = [{ page, details: { attachments } }];
  return { id, key: `key-${id}`, rule: `cart › ${id}`, title: `cart › ${id}`, details: {}, occurrences };
}
const findings = [
  finding('adds', ['test-results/cart-adds/test-failed-1.png', 'only.png']),
  finding('removes', [{ name: 'screenshot', path: '/ci/work/test-results/cart-removes/test-failed-1.png' }]),
  finding('pays', [{ name: 'pays.png' }, { name: 'shared', path: 'both.png' }]),
  finding('ships', ['./both.png']),
];
const placed = (...pictures: Partial<NamedPicture>[]) =>
  placePictures(
    pictures.map((each) => ({ field: 'x', filename: '', ...each })),
    { findings, coverage },
  );
const place = (...pictures: Partial<NamedPicture>[]) => placed(...pictures).map(({ findingIds }) => findingIds);

describe('P7: which findings a picture shows', () => {
  it('P7 by the names of attachments in the report, whole, by their end, or as the name of the part', () => {
    expect(place({ filename: 'only.png' })).toEqual([['adds']]);
    expect(place({ filename: 'pays.png' }, { filename: 'both.png' })).toEqual([['pays'], ['pays', 'ships']]);
    expect(place({ filename: 'test-results\\cart-adds\\test-failed-1.png' })).toEqual([['adds']]);
    expect(place({ filename: 'test-results/cart-removes/test-failed-1.png' })).toEqual([['removes']]);
    expect(place({ field: 'cart-removes/test-failed-1.png', filename: 'unnamed' })).toEqual([['removes']]);
    expect(place({ filename: '/home/me/shots/only.png' })).toEqual([['adds']]);
  });

  it('P7 a name that stands in several folders is not guessed', () => {
    expect(placed({ filename: 'test-failed-1.png' }, { filename: 'failed-1.png' })).toEqual([
      { findingIds: [], unused: expect.stringMatching(/2 attachments of this name.*with its folder/s) },
      { findingIds: [], unused: expect.stringMatching(/^No failure of the report lists it as an attachment\. Name /) },
    ]);
  });

  it('P7 by the name of the part: fingerprint, test, file; encoded as browsers do', () => {
    const targets = ['key-adds', 'cart ›  removes', 'pays.spec.ts', './ships.spec.ts', 'cart%20%E2%80%BA%20adds'];
    expect(place(...targets.map((target) => ({ field: `evidence[${target}]` })))).toEqual([
      ['adds'],
      ['removes'],
      ['pays'],
      ['ships'],
      ['adds'],
    ]);
    expect(placed({ field: 'evidence[cart › is empty]' }, { field: 'evidence[cart › flies]' })).toEqual([
      { findingIds: [], unused: expect.stringMatching(/finds nothing wrong/) },
      { findingIds: [], unused: expect.stringMatching(/nothing named "cart › flies"\. Name its part evidence\[/) },
    ]);
  });
});
