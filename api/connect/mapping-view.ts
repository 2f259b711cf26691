import type { ConnectionView, MappingView, NamedId } from '../operations/connection-types';
import { type Html, html } from './html';
import { csrfField, page, tick, type Viewer } from './page';

/** Which resolutions and statuses of a project mean "will not be fixed". */
export function mappingPage(input: {
  viewer: Viewer;
  connection: ConnectionView;
  mapping: MappingView;
  done?: string | undefined;
}): string {
  const { viewer, connection, mapping, done } = input;
  const at = `/connect/connections/${connection.id}`;
  const { available, blockedResolutions, blockedStatuses, projectKey, saved } = mapping;
  const body = html`<p><a href="${at}">Back to the connection</a></p>
<section aria-labelledby="lists"><h2 id="lists">Closed, but not fixed</h2>
<p>An issue that is Done is taken as a claim and re-run, unless its resolution or status is ticked here: then its finding is blocked. Team-managed projects have no choice of resolution; there, tick a status.</p>
${!saved && html`<p class="hint">Nothing is saved yet; what is ticked is proposed by the usual names.</p>`}
<form method="post" action="${at}/mapping/${encodeURIComponent(projectKey)}">${csrfField(viewer)}
${boxes({ legend: 'Resolutions', name: 'resolution', all: available.resolutions, ticked: blockedResolutions })}
${boxes({ legend: 'Statuses of the category Done', name: 'status', all: available.statuses, ticked: blockedStatuses })}
<div class="actions"><button type="submit" class="primary">Save</button></div></form></section>`;
  return page({ title: `What Done means in ${projectKey}`, viewer, body, done });
}

function boxes(input: { legend: string; name: string; all: NamedId[]; ticked: NamedId[] }): Html {
  const { legend, name, all, ticked } = input;
  const box = ({ id, name: label }: NamedId) =>
    tick({ id: `${name}-${id}`, name, value: id, label, checked: ticked.some((each) => each.id === id) });
  return html`<fieldset><legend>${legend}</legend>${all.length > 0 ? all.map(box) : html`<p>None.</p>`}</fieldset>`;
}
