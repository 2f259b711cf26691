import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { cardOf, command, type TourStop, tour } from '../../local/page-tour';
import { type Stack, startStack } from '../support/stack';
import { until } from '../support/until';

const report = readFileSync(join(__dirname, '..', '..', 'local', 'demo-reports', 'shop.axe.json'));

jest.setTimeout(180_000);

describe('the loop in the pages of the sandbox', () => {
  let stack: Stack;
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = process.env.CHROMIUM_PATH;
    if (!executablePath)
      throw new Error('CHROMIUM_PATH is not set. "npm test" sets it, and says how to get a Chromium.');
    stack = await startStack({
      // Browsers make machines slow: a comment whose answer is late is not sent again.
      env: { SETTLE_MS: '1000', JIRA_TIMEOUT_MS: '15000', CREATE_TIMEOUT_MS: '20000' },
    });
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
    });
    const sent = await stack.api('POST', `/api/v1/sources/${stack.local.sourceKeys.site}/reports`, report);
    expect(sent.status).toBe(201);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  it('pushes, is claimed, is re-run and verified, and the engine shows a completed workflow', async () => {
    const { local } = stack;
    const context = await browser.newContext();
    context.setDefaultTimeout(60_000);
    const stops: TourStop[] = [];
    const { jiraKey } = await tour({
      context,
      slackUrl: local.slackUrl ?? '',
      jiraUrl: local.jiraUrl ?? '',
      temporalNamespace: local.temporalNamespace,
      finding: 'F-1',
      at: async (stop) => {
        stops.push(stop);
      },
    });
    expect(stops).toEqual(['pushed', 'board', 'done', 'flagged', 'session', 'verified', 'issue']);
    const finding = await stack.api('GET', '/api/v1/findings/F-1');
    expect(finding.body).toMatchObject({ status: 'verified', jira: { key: jiraKey } });
    const handle = stack.temporal.workflow.getHandle(await lifecycleOf(jiraKey));
    await until(async () => (await handle.describe()).status.name === 'COMPLETED', { what: 'the completed workflow' });
    const { events } = await handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(50);
    await context.close();
  });

  it('asks for a note when a re-run fails, keeps the finding flagged, and the second round passes', async () => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(stack.local.slackUrl ?? '');
    await command(page, '/recheck push F-2');
    const card = cardOf(page, 'F-2');
    await card.getByText('Waiting for a fix').waitFor();
    const { jira } = (await stack.api('GET', '/api/v1/findings/F-2')).body as { jira: { key: string } };
    const jiraKey = jira.key;
    await stack.jira('POST', `/rest/api/3/issue/${jiraKey}/transitions`, {
      transition: { id: await doneTransition(jiraKey) },
    });
    await card.getByRole('button', { name: /^Start re-run/ }).click();
    await card.getByRole('button', { name: /^Fail/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('Still unlabelled on the cart page');
    await dialog.getByRole('button', { name: 'Save verdict' }).click();
    await card.getByRole('button', { name: /^Start re-run/ }).click();
    await card.getByRole('button', { name: /^Pass/ }).click();
    await card.getByText('Verified').first().waitFor();
    const history = ((await stack.api('GET', '/api/v1/findings/F-2')).body as { history: { event: string }[] }).history;
    expect(history.map((each) => each.event)).toEqual(expect.arrayContaining(['verdict_fail', 'verified']));
  });

  async function doneTransition(jiraKey: string): Promise<string> {
    const { body } = await stack.jira('GET', `/rest/api/3/issue/${jiraKey}/transitions`);
    const { transitions } = body as { transitions: { id: string; to: { name: string } }[] };
    return transitions.find((each) => each.to.name === 'Done')?.id ?? '';
  }

  async function lifecycleOf(jiraKey: string): Promise<string> {
    return await until(
      async () => {
        for await (const { workflowId } of stack.temporal.workflow.list({ query: `JiraKey = "${jiraKey}"` }))
          return workflowId;
        return null;
      },
      { what: `a workflow that the search attribute JiraKey finds` },
    );
  }
});
