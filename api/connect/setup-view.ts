// Between credentials and a connection: the choice of the site (where a grant covers several) and of the project.

import type { AdoptableView } from '../operations/connection-types';
import { type Html, html } from './html';
import {
  csrfField,
  describedBy,
  type FieldErrors,
  field,
  fieldError,
  fieldErrorsOf,
  page,
  tick,
  type Viewer,
} from './page';
import type { Setup } from './sessions';

type Sites = NonNullable<Setup['grant']>['sites'];

/** Which of the sites that the grant covers. */
export function sitePage(input: { viewer: Viewer; setup: Setup; sites: Sites; trouble?: string | undefined }): string {
  const { viewer, setup, sites, trouble } = input;
  const body = html`<section aria-labelledby="sites"><h2 id="sites">Your grant covers ${sites.length} sites</h2>
<form method="post" action="/connect/setup/${setup.id}/site">${csrfField(viewer)}
<fieldset><legend>Site of this connection</legend>
${sites.map(({ cloudId, name, url }, index) => html`<label class="tick" for="site-${index}"><input type="radio" id="site-${index}" name="site" value="${cloudId}" required${index === 0 && html` checked`}> ${name} (${url})</label>`)}
</fieldset>
<div class="actions"><button type="submit" class="primary">Go on</button> <a class="button" href="/connect">Cancel</a></div>
</form></section>`;
  return page({ title: 'Choose the Jira site', viewer, body, trouble: trouble ? { message: trouble } : undefined });
}

/** Which project, and what else belongs to a new connection. */
export function projectPage(input: {
  viewer: Viewer;
  setup: Setup;
  siteUrl: string;
  projects: { items: { key: string; name: string }[]; isComplete: boolean };
  query: string;
  adoptable: AdoptableView[];
  trouble?: string | undefined;
}): string {
  const { viewer, setup, siteUrl, projects, query, adoptable, trouble } = input;
  const { checks, siteName } = setup;
  const failed = checks.length > 0 ? `The test of ${setup.typed.projectKey} did not pass. Nothing was connected.` : '';
  const message = trouble || failed;
  const errors = trouble ? { projectKey: trouble } : fieldErrorsOf(checks, checkedFields);
  const body = html`
${(!projects.isComplete || query !== '') && search(setup, query)}
<section aria-labelledby="project"><h2 id="project">Project on ${siteName ? `${siteName} (${siteUrl})` : siteUrl}</h2>
<form method="post" action="/connect/setup/${setup.id}/project">${csrfField(viewer)}
${picker(projects.items, { typed: setup.typed.projectKey, errors })}
${tick({ id: 'autoSync', name: 'autoSync', label: 'Auto sync: poll Jira every hour as a fallback for webhooks', checked: setup.typed.autoSync })}
${adoptable.map(adoption(setup))}
<div class="actions"><button type="submit" class="primary">Save connection</button> <a class="button" href="/connect">Cancel</a></div>
</form></section>`;
  return page({
    title: 'Choose the project',
    viewer,
    body,
    trouble: message ? { message, checks, fields: errors } : undefined,
  });
}

const checkedFields = { project: 'projectKey', permissions: 'projectKey', fields: 'projectKey' };

function picker(
  items: { key: string; name: string }[],
  { typed, errors }: { typed: string; errors: FieldErrors },
): Html {
  if (items.length === 0) {
    return html`${field({ errors, id: 'projectKey', label: 'Project key', value: typed, hint: 'Jira lists no project in which this account may create issues. Its key stands in Jira under Project settings, Details; it is case-sensitive.' })}`;
  }
  const known = items.some(({ key }) => key === typed);
  return html`<label for="projectKey">Project</label>
${fieldError('projectKey', errors)}<select id="projectKey" name="projectKey" required${describedBy('projectKey', { errors, hasHint: false })}>
${!known && html`<option value="">Choose a project</option>`}
${items.map(({ key, name }) => html`<option value="${key}"${key === typed && html` selected`}>${key}: ${name}</option>`)}
</select>`;
}

function search(setup: Setup, query: string): Html {
  return html`<section aria-labelledby="search"><h2 id="search">Find a project</h2>
<form method="get" action="/connect/setup/${setup.id}">
<label for="q">Part of its name or key</label><input type="search" id="q" name="q" value="${query}">
<div class="actions"><button type="submit">Search</button></div></form></section>`;
}

function adoption({ typed }: Setup) {
  return ({ id, projectKey, disconnectedAt, links, sources }: AdoptableView): Html =>
    html`${tick({
      id: `adopt-${id}`,
      name: 'adoptFrom',
      value: id,
      label: `Adopt ${links === 1 ? '1 link' : `${links} links`} of the connection to this site (${projectKey}) that was disconnected on ${disconnectedAt.slice(0, 10)}`,
      checked: typed.adoptFrom?.includes(id) ?? true,
    })}${sources.length > 0 && html`<p class="hint">Sources that still name the old connection: ${sources.join(', ')}. Adopting moves the links alone; how to route the sources is said when the connection is saved.</p>`}`;
}
