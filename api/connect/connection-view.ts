// The pages of one connection: how it stands and what can be done, its webhook, its new credentials, its end.

import type { Check, ConnectionView, ToRoute } from '../operations/connection-types';
import { type Html, html } from './html';
import { kindAndAccount, nameOf, stateWords } from './list-view';
import {
  alert,
  buttonForm,
  checklist,
  copyField,
  csrfField,
  field,
  fieldErrorsOf,
  moment,
  page,
  type Trouble,
  type Viewer,
} from './page';

export type Test = { at: string; checks: Check[] };

/** How a connection stands, with everything that can be done about it. */
export function connectionPage(input: {
  viewer: Viewer;
  connection: ConnectionView;
  /** Projects with a status mapping of their own page. */
  projects: string[];
  test: Test | null;
  done?: string | undefined;
}): string {
  const { viewer, connection, projects, test, done } = input;
  const at = `/connect/connections/${connection.id}`;
  const { autoSync } = connection;
  const isDead = connection.status === 'reconnect_required';
  const reconnect = html`<a class="button${isDead && ' primary'}" href="${at}/reconnect">Reconnect</a>`;
  const body = html`
<p><a href="/connect">All connections</a></p>
<section aria-labelledby="state"><h2 id="state">State</h2>
${isDead && alert(connection.health.reason ?? 'Jira does not accept the credentials any more. Reconnect.')}
${facts(connection)}
<div class="actions">
${isDead && reconnect}
${buttonForm({ viewer, action: `${at}/test`, label: 'Test connection', ...(isDead ? {} : { look: 'primary' }) })}
${buttonForm({ viewer, action: `${at}/sync`, label: 'Synchronise now' })}
${buttonForm({ viewer, action: `${at}/auto-sync`, label: autoSync ? 'Switch auto sync off' : 'Switch auto sync on', fields: { autoSync: autoSync ? 'off' : 'on' } })}
${!isDead && reconnect}
<a class="button" href="${at}/disconnect">Disconnect</a>
</div></section>
${test && html`<section aria-labelledby="test"><h2 id="test">Test of ${moment(test.at, '')}</h2>${checklist(test.checks)}</section>`}
<section aria-labelledby="health"><h2 id="health">Health</h2>${checklist(connection.health.checks)}</section>
<section aria-labelledby="mapping"><h2 id="mapping">What Done means</h2>
<p>Which resolutions and statuses mean "will not be fixed", per project:</p>
<ul>${projects.map((key) => html`<li><a href="${at}/mapping/${encodeURIComponent(key)}">${key}</a></li>`)}</ul></section>`;
  return page({ title: nameOf(connection), viewer, body, done });
}

function facts(connection: ConnectionView): Html {
  const { health, kind, autoSync } = connection;
  const works = health.tokenState === 'valid';
  return html`<dl>
<dt>Connection</dt><dd>${stateWords(connection)}</dd>
<dt>Site</dt><dd>${connection.siteUrl}</dd>
<dt>Kind</dt><dd>${kindAndAccount(connection)}</dd>
<dt>Connection id</dt><dd><code class="copy">${connection.id}</code></dd>
<dt>Token</dt><dd>${works ? 'works' : 'does not work any more'}${works && kind === 'oauth' && health.tokenExpiresAt && html`; renewed by itself, next at ${moment(health.tokenExpiresAt, '')}`}</dd>
<dt>Last webhook</dt><dd>${moment(health.lastWebhookAt, 'none yet')}</dd>
<dt>Webhook expires</dt><dd>${kind === 'oauth' ? moment(health.webhookExpiresAt, 'not registered') : 'never'}</dd>
<dt>Last poll</dt><dd>${moment(health.lastPollAt, 'none yet')}</dd>
<dt>Auto sync</dt><dd>${autoSync ? 'on' : 'off'}</dd>
<dt>Held pushes</dt><dd>${health.heldPushes}</dd>
<dt>Lost projects</dt><dd>${health.lostProjects.join(', ') || 'none'}</dd>
</dl>`;
}

/** The webhook to make in Jira. The secret is in this answer alone: it is shown once, and never again. */
export function webhookPage(input: {
  viewer: Viewer;
  connection: ConnectionView;
  secret: string | null;
  adopted: number;
  /** Sources that still name a disconnected connection to the same site. */
  toRoute: ToRoute | null;
}): string {
  const { viewer, connection, secret, adopted, toRoute } = input;
  const next = html`<p><a class="button" href="/connect/connections/${connection.id}">Go on to the connection</a></p>`;
  const body = html`
<div class="done" role="status"><p>${connection.siteUrl} is connected, with the project ${connection.projectKey}.${adopted > 0 && ` ${adopted === 1 ? '1 link of the old connection was' : `${adopted} links of the old connection were`} adopted.`}</p></div>
${connection.kind === 'oauth' ? registered() : steps(connection, secret)}
${toRoute && routing(toRoute)}
${next}`;
  return page({ title: connection.kind === 'oauth' ? 'Connected' : 'Set up the webhook', viewer, body });
}

function routing({ sources, how }: ToRoute): Html {
  return html`<section aria-labelledby="route"><h2 id="route">Sources to route</h2>
<p>These sources still name a connection to this site that was disconnected, and push nothing until they are routed here:</p>
<ul>${sources.map((key) => html`<li><code>${key}</code></li>`)}</ul>
<p>${how} The README has the command under "Connect Jira".</p></section>`;
}

function registered(): Html {
  return html`<section aria-labelledby="webhook"><h2 id="webhook">Webhook in Jira</h2>
<p>There is nothing to set up: the webhook is registered in Jira by itself, as soon as a source is routed to this connection or links are adopted, and renewed before it expires. If the OAuth app is not distributed, only the owner of the app gets deliveries.</p></section>`;
}

function steps(connection: ConnectionView, secret: string | null): Html {
  return html`<section aria-labelledby="webhook"><h2 id="webhook">Webhook in Jira</h2>
<p>With it Recheck hears within seconds that an issue was closed. Without it, only the hourly poll of auto sync does.</p>
${copyField({ id: 'webhookUrl', label: 'Webhook URL', value: connection.webhookUrl })}
${
  secret === null
    ? alert(
        'The secret was shown once and cannot be shown again. If it is lost, disconnect, connect again, and adopt the old links.',
      )
    : copyField({ id: 'webhookSecret', label: 'Webhook secret (shown this once)', value: secret })
}
<ol>
<li>In Jira, open <em>Settings</em>, <em>System</em>, <em>WebHooks</em>, and press <em>Create a WebHook</em>.</li>
<li>Paste the webhook URL into the field <em>URL</em>.</li>
<li>Paste the webhook secret into the field <em>Secret</em>. It is needed: Recheck takes signed deliveries only.</li>
<li>Under <em>Issue related events</em>, tick <em>Issue: updated</em> and <em>Issue: deleted</em>. The JQL filter may stay empty.</li>
<li>Press <em>Create</em>. The status of the webhook says <em>Enabled</em>.</li>
</ol></section>`;
}

/** New credentials for a connection. */
export function reconnectPage(input: {
  viewer: Viewer;
  connection: ConnectionView;
  email: string;
  trouble?: Trouble | undefined;
}): string {
  const { viewer, connection, email, trouble } = input;
  const errors = trouble?.fields ?? {};
  const at = `/connect/connections/${connection.id}`;
  const form =
    connection.kind === 'oauth'
      ? html`<p>Atlassian asks for your consent again. Log in there as the same account, grant every scope, and where Atlassian lets you choose among sites, choose ${connection.siteUrl}.</p>
${buttonForm({ viewer, action: '/connect/atlassian', label: 'Reconnect with Atlassian', look: 'primary', fields: { reconnect: connection.id } })}`
      : html`<form method="post" action="${at}/reconnect">${csrfField(viewer)}
${field({ errors, id: 'email', label: 'Account e-mail', type: 'email', value: email, autocomplete: 'email' })}
${field({ errors, id: 'apiToken', label: 'New API token', type: 'password', hint: 'It is stored encrypted and never shown again.', autocomplete: 'new-password' })}
<div class="actions"><button type="submit" class="primary">Reconnect</button></div></form>`;
  const body = html`<p><a href="${at}">Back to the connection</a></p>
<section aria-labelledby="again"><h2 id="again">New credentials</h2>
<p>For ${nameOf(connection)}. The connection stays the same: its links, its rules, its webhook. Pushes that were held go on by themselves, and what was missed is caught up.</p>
${form}</section>`;
  return page({ title: `Reconnect ${connection.siteUrl}`, viewer, body, trouble });
}

/** What the tries with new credentials came to, by the fields of the form. */
export function reconnectTrouble(message: string, checks: Check[]): Trouble {
  return { message, checks, fields: fieldErrorsOf(checks, { credentials: 'apiToken' }) };
}

/** Asks before a connection is ended. */
export function disconnectPage(input: {
  viewer: Viewer;
  connection: ConnectionView;
  /** Keys of the sources that are routed to it. */
  sources: string[];
}): string {
  const { viewer, connection, sources } = input;
  const at = `/connect/connections/${connection.id}`;
  const oauthNote = html`<li>Its webhook in Jira is deleted. Where Jira does not take the credentials any more it stays, is refused, and expires within 30 days.</li>
<li>Atlassian keeps listing Recheck under <em>Connected apps</em> of your account until you remove it there.</li>`;
  const tokenNote = html`<li>The webhook in Jira stays until an admin of Jira deletes it; its deliveries are refused.</li>`;
  const body = html`<section aria-labelledby="sure"><h2 id="sure">This ends the connection</h2>
<p>${nameOf(connection)}</p>
<ul>
<li>${sources.length === 0 ? 'No source is routed to it.' : html`${sources.length === 1 ? 'This source is routed to it, and pushes nothing until its' : 'These sources are routed to it, and push nothing until their'} rule names another connection: ${sources.join(', ')}.`}</li>
<li>Its credentials and secrets are erased here. You may revoke the token at Atlassian too.</li>
<li>Nothing is pushed through it from that moment on, and it is not polled any more.</li>
<li>Links between findings and issues stay as history. A new connection to the same site can adopt them.</li>
${connection.kind === 'oauth' ? oauthNote : tokenNote}
</ul>
<div class="actions">
${buttonForm({ viewer, action: `${at}/disconnect`, label: 'Disconnect', about: connection.siteUrl, look: 'danger' })}
<a class="button" href="${at}">Keep it</a>
</div></section>`;
  return page({ title: `Disconnect ${connection.siteUrl}?`, viewer, body });
}
