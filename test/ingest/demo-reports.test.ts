import { join } from 'node:path';
import { parseReport } from '../../api/ingest/parse';

const folder = join(__dirname, '..', '..', 'local', 'demo-reports');

describe('the shipped demo reports', () => {
  it('hold accessibility findings of several severities on three pages', async () => {
    const report = await parseReport({ path: join(folder, 'shop.axe.json') });
    const severities = Object.fromEntries(report.findings.map(({ rule, severity }) => [rule, severity]));
    expect(severities).toEqual({
      'button-name': 'critical',
      'color-contrast': 'serious',
      'heading-order': 'moderate',
      'html-has-lang': 'serious',
      'image-alt': 'critical',
      label: 'critical',
    });
    expect(report.coverage.kind === 'pages' && [...report.coverage.pages.keys()]).toEqual([
      'https://shop.example',
      'https://shop.example/cart',
      'https://shop.example/checkout',
    ]);
  });

  it('hold three failing tests of a Jest run', async () => {
    const report = await parseReport({ path: join(folder, 'cart.junit.xml') });
    expect(report.findings.map(({ rule }) => rule)).toEqual([
      'Cart discount › gives ten per cent at exactly 100 €',
      'Checkout › asks for the country when the address has none',
      'Checkout › rounds the tax to the cent',
    ]);
    expect(report.coverage.kind === 'tests' && report.coverage.tests.size).toBe(8);
  });
});
