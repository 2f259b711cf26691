import { escapeHtml } from '../../http';
import type { Site } from '../site';

/** The page's frame: header, project list, an empty main that the script fills, and the dialogs' places. */
export function shell(site: Site, page: { title: string; projectKey: string; issueKey?: string }): string {
  const projects = site.projects
    .map(({ key, name, style }) => {
      const current = key === page.projectKey ? ' aria-current="page"' : '';
      const kind = style === 'classic' ? 'Company-managed' : 'Team-managed';
      return `<li><a href="/projects/${escapeHtml(key)}/board"${current}>
        <img src="/secure/projectavatar/${escapeHtml(key)}" alt="" width="32" height="32">
        <span><strong>${escapeHtml(name)}</strong><small>${kind}</small></span></a></li>`;
    })
    .join('\n');
  const issue = page.issueKey ? ` data-issue="${escapeHtml(page.issueKey)}"` : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)} - Jira sandbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/base.css">
<link rel="stylesheet" href="/assets/board.css">
<link rel="stylesheet" href="/assets/issue.css">
<link rel="stylesheet" href="/assets/document.css">
</head>
<body data-project="${escapeHtml(page.projectKey)}"${issue}>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
  <a class="brand" href="/"><svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><rect x="2" y="3" width="5.5" height="18" rx="1.6"/><rect x="9.3" y="3" width="5.5" height="12" rx="1.6"/><rect x="16.5" y="3" width="5.5" height="7" rx="1.6"/></svg>Jira</a>
  <span class="badge" title="A local stand-in that speaks Jira Cloud's protocols. Nothing here reaches Atlassian.">Sandbox</span>
  <span class="badge-note">local stand-in, nothing reaches Atlassian</span>
  <a class="settings" href="/plugins/servlet/webhooks">Settings: WebHooks</a>
  <span class="me"><img src="/secure/useravatar/${encodeURIComponent(person(site).accountId)}" alt="" width="28" height="28">${escapeHtml(person(site).displayName)}</span>
</header>
<div class="frame">
<nav class="side" aria-label="Projects"><h2>Projects</h2><ul>${projects}</ul></nav>
<main id="main" tabindex="-1"><p class="loading">Loading…</p></main>
</div>
<div id="status" class="toast" role="status"></div>
<script type="module" src="/assets/main.js"></script>
</body>
</html>`;
}

function person(site: Site): { accountId: string; displayName: string } {
  return site.accounts.find(({ role }) => role === 'person') ?? { accountId: '', displayName: '' };
}
