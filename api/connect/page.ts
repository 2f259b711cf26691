// What every state of the connect page is made of: the frame, and the parts that come again.

import type { Check } from '../operations/connection-types';
import { type Html, html } from './html';

/** What every page knows of the one who looks at it. */
export type Viewer = { name: string; csrf: string };

/** What went wrong with a form: in a word, by the checks behind it, and by the field that it is about. */
export type Trouble = { message: Html | string; checks?: Check[]; fields?: FieldErrors };
/** What is wrong with a field, by its id. */
export type FieldErrors = Record<string, string>;

type PageInput = {
  title: string;
  viewer: Viewer | null;
  body: Html;
  done?: string | undefined;
  trouble?: Trouble | undefined;
};

/** The whole document. `done` and `trouble` say above everything else what just happened. */
export function page({ title, viewer, body, done, trouble }: PageInput): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${trouble && 'Error: '}${title} - Recheck</title>
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
${trouble && errorSummary(trouble)}
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
  errors?: FieldErrors | undefined;
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
  errors = {},
}: FieldInput): Html {
  return html`<label for="${id}">${label}</label>
${fieldError(id, errors)}<input id="${id}" name="${id}" type="${type}" autocomplete="${autocomplete}" spellcheck="false"${required && html` required`}${describedBy(id, { errors, hasHint: hint !== undefined })}${value !== undefined && html` value="${value}"`}>
${hint !== undefined && html`<p class="hint" id="${id}-hint">${hint}</p>`}`;
}

/** What is wrong with a field, to stand between its label and itself. */
export function fieldError(id: string, errors: FieldErrors): Html | null {
  const error = errors[id];
  return error === undefined ? null : html`<p class="wrong" id="${id}-error">${error}</p>`;
}

/** The attributes that tie a field to what is wrong with it and to its hint. */
export function describedBy(id: string, { errors, hasHint }: { errors: FieldErrors; hasHint: boolean }): Html {
  const isWrong = errors[id] !== undefined;
  const ids = [...(isWrong ? [`${id}-error`] : []), ...(hasHint ? [`${id}-hint`] : [])].join(' ');
  return html`${isWrong && html` aria-invalid="true"`}${ids !== '' && html` aria-describedby="${ids}"`}`;
}

/** What to say of the fields that were left empty: the value of each, and the words for it. */
export function missing(fields: Record<string, [value: string, says: string]>): FieldErrors {
  const empty = Object.entries(fields).filter(([, [value]]) => value === '');
  return Object.fromEntries(empty.map(([id, [, says]]) => [id, says]));
}

/** Which field each failed check is about: `fields` names it by the check. The first check of a field is the one said. */
export function fieldErrorsOf(checks: Check[], fields: Record<string, string>): FieldErrors {
  const errors: FieldErrors = {};
  for (const { name, ok, cause } of checks) {
    const id = fields[name];
    if (!ok && id !== undefined && cause !== undefined) errors[id] ??= cause;
  }
  return errors;
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

/** What went wrong with a form, before everything else: it has the focus, and leads to the fields. */
function errorSummary({ message, checks = [], fields = {} }: Trouble): Html {
  const links = Object.entries(fields).map(([id, error]) => html`<li><a href="#${id}">${error}</a></li>`);
  return html`<div class="alert" role="alert" tabindex="-1" autofocus><p>${message}</p>
${links.length > 0 && html`<ul>${links}</ul>`}${checks.length > 0 && checklist(checks)}</div>`;
}

/** Something to look at, read out at once. */
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
  tracking: 'Webhooks are about issues that Recheck follows',
  verification: 'Every finding in Jira has something to re-run',
  sessions: 'Cards in Slack are up to date',
  polling: 'Hourly poll',
  pushes: 'Pushes go through',
};

const stateSigns = { unknown: '? Not yet known', off: '– Off' };

/** Checks as a list: a word and a symbol say how each ended, and a failed one says cause and cure. */
export function checklist(checks: Check[]): Html {
  return html`<ul class="checks">${checks.map(
    ({
      name,
      ok,
      cause,
      cure,
      state,
      note,
    }) => html`<li class="${state ?? (ok ? 'passed' : 'failed')}"><p><strong>${state ? stateSigns[state] : ok ? '✓ Passed' : '✗ Failed'}</strong>: ${checkWords[name] ?? name}</p>
${note !== undefined && html`<p>${note}</p>`}${cause !== undefined && html`<p>${cause}</p>`}${cure !== undefined && html`<p><em>What to do:</em> ${cure}</p>`}</li>`,
  )}</ul>`;
}

/** A moment in UTC, readable by people and machines; `never` where there is none. */
export function moment(at: string | null, never: string): Html {
  if (at === null) return html`${never}`;
  return html`<time datetime="${at}">${at.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
