// The loop by hand, in a real browser: what a newcomer does in the sandbox's two pages, step by step. The screenshots of
// the README and the test of the pages are made by the same tour.

import type { BrowserContext, Page } from 'playwright-core';

export type TourStop = 'pushed' | 'board' | 'done' | 'issue' | 'flagged' | 'session' | 'verified' | 'temporal';

export type TourInput = {
  context: BrowserContext;
  slackUrl: string;
  jiraUrl: string;
  /** The Temporal UI, where there is one. */
  temporalUi?: string | undefined;
  temporalNamespace: string;
  /** The short number of an open finding of an enabled source, `F-1`. */
  finding: string;
  /** Called at each stop, with the page that shows it. */
  at?: (stop: TourStop, page: Page) => Promise<void>;
};

/** Pushes a finding, marks its issue Done, re-runs it and passes it. Throws where a page does not show what it should. */
export async function tour({ context, at = async () => undefined, ...where }: TourInput): Promise<{ jiraKey: string }> {
  const slack = await context.newPage();
  await slack.goto(where.slackUrl);
  await command(slack, `/recheck push ${where.finding}`);
  const card = cardOf(slack, where.finding);
  const key = card.getByRole('link', { name: /^[A-Z]+-\d+$/ });
  await key.waitFor();
  const jiraKey = (await key.textContent()) ?? '';
  await card.getByText('Waiting for a fix').waitFor();
  await at('pushed', slack);

  const board = await context.newPage();
  await board.goto(where.jiraUrl);
  await at('board', board);
  await moveToDone(board, jiraKey, () => at('done', board));

  await card.getByText('Needs re-run').waitFor();
  await at('flagged', slack);
  await card.getByRole('button', { name: /^Start re-run/ }).click();
  await card.getByRole('button', { name: /^Pass/ }).waitFor();
  await at('session', slack);
  await card.getByRole('button', { name: /^Pass/ }).click();
  await card.getByText('Verified').first().waitFor();
  await at('verified', slack);

  await board.goto(`${where.jiraUrl}/browse/${jiraKey}`);
  await board.getByText('Re-run passed').first().waitFor({ timeout: 60_000 });
  await at('issue', board);
  if (where.temporalUi) await showWorkflow(context, { ...where, temporalUi: where.temporalUi, jiraKey, at });
  return { jiraKey };
}

/** The newest card of a finding. */
export function cardOf(slack: Page, finding: string) {
  const heading = slack.getByRole('heading', { name: new RegExp(`\\(${finding}\\)`) });
  return slack.getByRole('article').filter({ has: heading }).last();
}

/** Types a slash command into the composer and sends it. */
export async function command(slack: Page, text: string): Promise<void> {
  const composer = slack
    .getByRole('textbox', { name: /^Message/ })
    .or(slack.getByRole('combobox', { name: /^Message/ }));
  await composer.first().click();
  await composer.first().fill(text);
  await composer.first().press('Enter');
}

/** Moves an issue to Done on the board with the resolution that Jira proposes, by keyboard and menu alone. */
export async function moveToDone(board: Page, jiraKey: string, before?: () => Promise<void>): Promise<void> {
  const issue = board.getByRole('listitem').filter({ hasText: jiraKey });
  await issue.getByRole('button', { name: /move|actions/i }).click();
  await board.getByRole('menuitem', { name: /Done/ }).click();
  const dialog = board.getByRole('dialog');
  await dialog.waitFor();
  await before?.();
  await dialog
    .getByRole('button', { name: /Done|Move/ })
    .last()
    .click();
  await dialog.waitFor({ state: 'hidden' });
}

async function showWorkflow(
  context: BrowserContext,
  input: { temporalUi: string; temporalNamespace: string; jiraKey: string; at: NonNullable<TourInput['at']> },
): Promise<void> {
  const page = await context.newPage();
  const query = encodeURIComponent(`JiraKey="${input.jiraKey}"`);
  await page.goto(`${input.temporalUi}/namespaces/${input.temporalNamespace}/workflows?query=${query}`);
  await page
    .getByRole('link', { name: /^finding:/ })
    .first()
    .click();
  await page.getByText('Completed').first().waitFor();
  await page.getByText('Let the issue settle').first().waitFor();
  await input.at('temporal', page);
}
