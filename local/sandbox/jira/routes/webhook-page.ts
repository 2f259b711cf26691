import { Router, urlencoded } from 'express';
import { escapeHtml } from '../../http';
import { isObject, JiraProblem } from '../answer';
import type { Jira } from '../jira';
import { seededAccount } from '../site';
import { filterSection } from '../webhooks';
import { postWebhook } from './webhooks';

// Jira's page Settings > System > WebHooks, as far as it takes to make one by hand.

const events = [
  ['jira:issue_created', 'Issue: created'],
  ['jira:issue_updated', 'Issue: updated'],
  ['jira:issue_deleted', 'Issue: deleted'],
] as const;

/** Lists the administrators' webhooks and makes new ones, as the person of the sandbox. */
export function createWebhookPageRouter(jira: Jira): Router {
  const router = Router();
  router.get('/plugins/servlet/webhooks', (_req, res) => {
    res.type('html').send(webhookPage(jira));
  });
  router.post('/plugins/servlet/webhooks', urlencoded({ extended: false }), async (req, res) => {
    const form: Record<string, unknown> = isObject(req.body) ? req.body : {};
    const text = (name: string) => (typeof form[name] === 'string' ? form[name].trim() : '');
    const body = {
      name: text('name'),
      url: text('url'),
      events: events.flatMap(([event]) => (form[event] === undefined ? [] : [event])),
      filters: text('jql') ? { [filterSection]: text('jql') } : {},
      ...(text('secret') ? { secret: text('secret') } : {}),
    };
    const account = seededAccount(jira.site, 'person');
    try {
      await postWebhook(jira, { account, app: null, params: {}, query: new URLSearchParams(), body, req });
      res.redirect(303, '/plugins/servlet/webhooks');
    } catch (error) {
      if (!(error instanceof JiraProblem)) throw error;
      res
        .status(400)
        .type('html')
        .send(webhookPage(jira, error.messages.join(' ')));
    }
  });
  return router;
}

function webhookPage({ webhooks }: Jira, problem?: string): string {
  const listed = webhooks
    .list()
    .map(
      ({ name, url, enabled, secret }) =>
        `<li><strong>${escapeHtml(name)}</strong>: ${enabled ? 'Enabled' : 'Disabled'}, ${secret === null ? 'without a secret' : 'signed'}<br>${escapeHtml(url)}</li>`,
    );
  const field = (name: string, label: string, more = '') =>
    `<p><label for="${name}">${label}</label><br><input id="${name}" name="${name}" size="60" autocomplete="off"${more}></p>`;
  const ticks = events
    .map(([event, label]) => `<label><input type="checkbox" name="${event}"> ${label}</label>`)
    .join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>WebHooks - Jira sandbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/base.css">
<link rel="stylesheet" href="/assets/sheet.css">
<link rel="stylesheet" href="/assets/webhooks.css">
</head>
<body>
<main>
<p><a href="/">Back to the board</a></p>
<h1>System: WebHooks</h1>
<ul>${listed.join('\n') || '<li>None yet.</li>'}</ul>
<h2>Create a WebHook</h2>
${problem ? `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>` : ''}
<form method="post" action="/plugins/servlet/webhooks">
${field('name', 'Name', ' required value="Recheck"')}
${field('url', 'URL', ' type="url" required')}
${field('secret', 'Secret')}
${field('jql', 'Issue related events: JQL filter (empty means all issues)')}
<fieldset><legend>Issue related events</legend>${ticks}</fieldset>
<p><button class="primary">Create</button></p>
</form>
</main>
</body>
</html>`;
}
