import { readFileSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { appOf, listen } from '../http/support';

const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

describe('the pages that the server has besides /connect', () => {
  let server: Awaited<ReturnType<typeof listen>>;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    const executablePath = process.env.CHROMIUM_PATH;
    if (!executablePath)
      throw new Error('CHROMIUM_PATH is not set. "npm test" sets it, and says how to get a Chromium.');
    server = await listen(appOf({}));
    const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'];
    browser = await chromium.launch({ executablePath, args });
    // axe is injected, which the server's own policy rightly refuses to strangers.
    page = await browser.newPage({ bypassCSP: true });
    page.setDefaultTimeout(60_000);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  async function violations(): Promise<string[]> {
    await page.evaluate(axeSource);
    return page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
      return (await axe.run()).violations.map(({ id }) => id);
    });
  }

  it('I4 describe the calls so that everybody can read and work them', async () => {
    await page.goto(`${server.url}/docs`);
    const call = page.getByRole('button', { name: /^POST.*Adds a source/ });
    await call.click();
    await page.getByRole('heading', { name: 'Responses' }).waitFor();
    // Swagger UI's own: its headings go from 1 to 3, and its title stands before its main part.
    expect(await violations()).toEqual(['heading-order', 'region']);
  });

  it('name a finding, and bring an icon', async () => {
    await page.goto(`${server.url}/findings/F-6`);
    await page.getByRole('heading', { name: 'Finding F-6', level: 1 }).waitFor();
    expect(await violations()).toEqual([]);
    const icon = await fetch(`${server.url}/favicon.ico`);
    expect(icon.status).toBe(200);
    expect(icon.headers.get('content-type')).toContain('image/svg+xml');
  });
});
