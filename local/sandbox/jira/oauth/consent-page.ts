import { escapeHtml } from '../../http';
import type { Account } from '../site';
import { knownScopes } from './scopes';

/** What an authorization request asks for; checked before it is shown. */
export interface AuthorizationRequest {
  scopes: string[];
  redirectUri: string;
  /** The query as it came, sent back with the decision. */
  parameters: Record<string, string>;
}

/** The page on which a person lets the app act for them, or does not. */
export function consentPage(
  { scopes, redirectUri, parameters }: AuthorizationRequest,
  { account, sites }: { account: Account; sites: { name: string; url: string }[] },
): string {
  const hidden = Object.entries(parameters)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('\n');
  const listed = sites.map(({ name, url }) => `<li><strong>${escapeHtml(name)}</strong> ${escapeHtml(url)}</li>`);
  const asked = scopes.map((scope) => `<li>${escapeHtml(knownScopes[scope] ?? scope)}</li>`);
  return frame(
    'Let Recheck use Jira?',
    `<p>You are signed in as <strong>${escapeHtml(account.displayName)}</strong> (${escapeHtml(account.email)}).
What the app does in Jira, it does as this account.</p>
<h2>It will be able to</h2>
<ul>${asked.join('\n')}</ul>
<h2>On these sites</h2>
<ul>${listed.join('\n') || '<li>None: this account can use no site.</li>'}</ul>
<p>Afterwards you are taken to ${escapeHtml(new URL(redirectUri).origin)}.</p>
<form method="post" action="/authorize">
${hidden}
<button class="primary" name="decision" value="accept">Accept</button>
<button name="decision" value="cancel">Cancel</button>
</form>`,
  );
}

/** The page for a request that names no app, or no address to return to: it can only be read here. */
export function refusalPage(reason: string): string {
  return frame('Something went wrong', `<p>${escapeHtml(reason)}</p><p>Start again from the app.</p>`);
}

function frame(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - Atlassian sandbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/base.css">
<link rel="stylesheet" href="/assets/sheet.css">
<link rel="stylesheet" href="/assets/consent.css">
</head>
<body>
<main>
<p class="badge">Sandbox: nothing here reaches Atlassian</p>
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</body>
</html>`;
}
