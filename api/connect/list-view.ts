// The first page: the connections that there are, and the two ways to make another.

import type { Check, ConnectionView } from '../operations/connection-types';
import { type Html, html } from './html';
import { buttonForm, csrfField, type FieldErrors, field, fieldErrorsOf, page, tick, type Viewer } from './page';

/** What was typed into the form for an API token; never the token. */
export type TypedAccount = { siteUrl: string; email: string; projectKey: string; autoSync: boolean };
export const nothingTyped: TypedAccount = { siteUrl: '', email: '', projectKey: '', autoSync: false };

export type ListInput = {
  viewer: Viewer;
  connections: ConnectionView[];
  /** Whether an OAuth app is configured. */
  offersOauth: boolean;
  typed?: TypedAccount;
  trouble?: Html | string | undefined;
  checks?: Check[];
  /** What is wrong with single fields, beside what the checks say. */
  errors?: FieldErrors;
  done?: string | undefined;
};

/** The page with the list and the forms. */
export function listPage(input: ListInput): string {
  const { viewer, connections, offersOauth, done, trouble, checks = [] } = input;
  const errors = { ...input.errors, ...fieldErrorsOf(checks, checkedFields) };
  const body = html`
${
  connections.length > 0 &&
  html`<section aria-labelledby="connections"><h2 id="connections">Your connections</h2>
<ul>${connections.map(connectionLine)}</ul></section>`
}
${offersOauth && oauthSection(viewer)}
${tokenSection(input, errors)}
<p class="hint">A new connection routes nothing by itself: every source of Recheck stays opted out until its rule names the connection and a project.</p>`;
  return page({
    title: 'Connect Jira',
    viewer,
    body,
    done,
    trouble: trouble ? { message: trouble, checks, fields: errors } : undefined,
  });
}

const checkedFields = { address: 'siteUrl', credentials: 'apiToken', project: 'projectKey', permissions: 'projectKey' };

/** How a connection stands, in words. */
export function stateWords({ status, health }: ConnectionView): string {
  if (status === 'reconnect_required') return 'needs to be reconnected';
  const troubles = health.checks.filter((check) => !check.ok).length;
  if (troubles === 0) return 'works';
  return troubles === 1 ? 'works, with 1 thing to look at' : `works, with ${troubles} things to look at`;
}

export const kindWords: Record<ConnectionView['kind'], string> = { api_token: 'API token', oauth: 'OAuth' };

/** The kind of a connection and whose credentials it goes by: what tells two connections to one site apart. */
export function kindAndAccount({ kind, email, accountName, accountId }: ConnectionView): string {
  const account = email ?? accountName ?? (accountId && `account ${accountId}`);
  return account ? `${kindWords[kind]} of ${account}` : kindWords[kind];
}

/** A connection in one line. */
export function nameOf(connection: ConnectionView): string {
  return `${connection.siteUrl}, ${connection.projectKey} (${kindAndAccount(connection)})`;
}

function connectionLine(connection: ConnectionView): Html {
  return html`<li><a href="/connect/connections/${connection.id}">${nameOf(connection)}</a>: ${stateWords(connection)}</li>`;
}

function oauthSection(viewer: Viewer): Html {
  return html`<section aria-labelledby="oauth"><h2 id="oauth">With your Atlassian account (OAuth)</h2>
<p>Atlassian asks you what Recheck may do. Webhooks are registered by themselves. Best done with an account of its own for Recheck.</p>
${buttonForm({ viewer, action: '/connect/atlassian', label: 'Connect with Atlassian', look: 'primary' })}</section>`;
}

function tokenSection({ viewer, typed = nothingTyped }: ListInput, errors: FieldErrors): Html {
  return html`<section aria-labelledby="token"><h2 id="token">With an API token</h2>
<form method="post" action="/connect/token">
${csrfField(viewer)}
${field({ errors, id: 'siteUrl', label: 'Jira site URL', type: 'url', value: typed.siteUrl, hint: 'https:// and the host, without a slash at the end: https://your-domain.atlassian.net' })}
${field({ errors, id: 'email', label: 'Account e-mail', type: 'email', value: typed.email, hint: 'Of the Atlassian account that the token belongs to.', autocomplete: 'email' })}
${field({ errors, id: 'apiToken', label: 'API token', type: 'password', hint: html`Make one under <a href="https://id.atlassian.com/manage-profile/security/api-tokens" rel="noreferrer">id.atlassian.com, Security, API tokens</a>. It is stored encrypted and never shown again.`, autocomplete: 'new-password' })}
${field({ errors, id: 'projectKey', label: 'Project key (optional)', value: typed.projectKey, hint: 'Such as ACC, case-sensitive. Leave it empty to choose from a list.', required: false })}
${tick({ id: 'autoSync', name: 'autoSync', label: 'Auto sync: poll Jira every hour as a fallback for webhooks', checked: typed.autoSync })}
<div class="actions"><button type="submit" class="primary">Connect with API token</button></div>
</form></section>`;
}
