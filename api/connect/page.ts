// What every state of the connect page is made of: the frame, and the parts that come again.

import type { Check } from '../operations/connection-types';
import { type Html, html } from './html';

/** What every page knows of the one who looks at it. */
export type Viewer = { name: string; csrf: string };

type PageInput = { title: string; viewer: Viewer | null; body: Html; done?: string | undefined };

/** The whole document. `done` says above everything else what just happened. */
export function page({ title, viewer, body, done }: PageInput): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - Recheck</title>
<link rel="stylesheet" href="/connect/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top"><div>
<p><strong>Recheck</strong>: Connect Jira</p>
${viewer && html`<form method="post" action="/connect/end">${csrfField(viewer)}<button type="submit">Sign out ${viewer.name}</button></form>`}
</div></header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${done && html`<div class="done" role="status"><p>${done}</p></div>`}
${body}
</main>
</body>
</html>
`.markup;
}

/** The hidden field that every form carries. */
export function csrfField(viewer: Viewer): Html {
  return html`<input type="hidden" name="csrf" value="${viewer.csrf}">`;
}

/** A form that is nothing but a button. */
export function buttonForm(input: {
  viewer: Viewer;
  action: string;
  label: string;
  /** What a screen reader says after the label, where several buttons have the same. */
  about?: string;
  look?: 'primary' | 'danger';
  fields?: Record<string, string>;
}): Html {
  const { viewer, action, label, about, look, fields = {} } = input;
  const hidden = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  const says = about ? html` aria-label="${label} ${about}"` : '';
  return html`<form method="post" action="${action}">${csrfField(viewer)}${hidden}<button type="submit" class="${look ?? ''}"${says}>${label}</button></form>`;
}

type FieldInput = {
  id: string;
  label: string;
  type?: 'text' | 'url' | 'email' | 'password';
  value?: string | undefined;
  hint?: Html | string;
  required?: boolean;
  autocomplete?: string;
};

/** A labelled text field with its hint. Fields for secrets come without a value. */
export function field({
  id,
  label,
  type = 'text',
  value,
  hint,
  required = true,
  autocomplete = 'off',
}: FieldInput): Html {
  return html`<label for="${id}">${label}</label>
<input id="${id}" name="${id}" type="${type}" autocomplete="${autocomplete}" spellcheck="false"${required && html` required`}${hint !== undefined && html` aria-describedby="${id}-hint"`}${value !== undefined && html` value="${value}"`}>
${hint !== undefined && html`<p class="hint" id="${id}-hint">${hint}</p>`}`;
}

/** A value to copy: read-only, and selected as a whole when the Tab key reaches it. */
export function copyField({ id, label, value }: { id: string; label: string; value: string }): Html {
  return html`<label for="${id}">${label}</label><input id="${id}" type="text" readonly value="${value}">`;
}

/** A checkbox with its label behind it. */
export function tick(input: { id: string; name: string; value?: string; label: string; checked: boolean }): Html {
  const { id, name, value = 'on', label, checked } = input;
  return html`<label class="tick" for="${id}"><input type="checkbox" id="${id}" name="${name}" value="${value}"${checked && html` checked`}> ${label}</label>`;
}

/** What went wrong, read out at once. */
export function alert(message: string | Html): Html {
  return html`<div class="alert" role="alert"><p>${message}</p></div>`;
}

const checkWords: Record<string, string> = {
  address: 'Site URL reachable',
  credentials: 'Credentials valid',
  project: 'Project accessible',
  permissions: 'Permissions present',
  fields: 'An issue can be made with the fields that Recheck fills',
  scopes: 'Every scope granted',
  webhooks: 'Webhook registered in Jira',
  webhook: 'Webhook from Jira',
  tracking: 'Deliveries are about issues that Recheck knows',
  verification: 'Issues closed in Jira reach Fix Verification',
  sessions: 'Session pending badges',
  polling: 'Hourly poll',
  pushes: 'Pushes go through',
};

/** Checks as a list: a word and a symbol say how each ended, and a failed one says cause and cure. */
export function checklist(checks: Check[]): Html {
  return html`<ul class="checks">${checks.map(
    ({
      name,
      ok,
      cause,
      cure,
      note,
    }) => html`<li class="${ok ? 'passed' : 'failed'}"><p><strong>${ok ? '✓ Passed' : '✗ Failed'}</strong>: ${checkWords[name] ?? name}</p>
${note !== undefined && html`<p>${note}</p>`}${cause !== undefined && html`<p>${cause}</p>`}${cure !== undefined && html`<p><em>What to do:</em> ${cure}</p>`}</li>`,
  )}</ul>`;
}

/** A moment in UTC, readable by people and machines; `never` where there is none. */
export function moment(at: string | null, never: string): Html {
  if (at === null) return html`${never}`;
  return html`<time datetime="${at}">${at.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
