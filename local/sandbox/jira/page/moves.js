import { attempt, call, h, statusTag } from './dom.js';
import { showDialog } from './overlay.js';

// Moving an issue: with the pointer, from a menu, or from the issue view. All end here.

const offered = ['Done', "Won't Do", 'Duplicate'];

/** Moves an issue to a status; asks for the resolution where the project has one to choose. Answers whether it moved. */
export async function moveIssue({ key, to, asksForResolution, resolutions }) {
  let resolution;
  if (asksForResolution) {
    const chosen = await chooseResolution({ key, to, resolutions });
    if (!chosen) return false;
    resolution = chosen.resolution;
  }
  return attempt(
    () => call('POST', `/sandbox/board/issues/${key}/transition`, { to: to.id, resolution }),
    `${key} is now ${to.name}.`,
  );
}

/** The menu's entries for the statuses that an issue can move to. */
export function moveItems({ targets, act }) {
  return targets.map((to) => ({ label: to.name, content: statusTag(to), act: () => act(to) }));
}

function chooseResolution({ key, to, resolutions }) {
  const choices = resolutions.filter(({ name }) => offered.includes(name));
  const option = ({ id, name, description }, index) =>
    h(
      'label',
      { class: 'choice' },
      h('input', { type: 'radio', name: 'resolution', value: id, checked: index === 0, autofocus: index === 0 }),
      h('span', {}, h('strong', {}, name), h('small', {}, description)),
    );
  const later = { id: '', name: 'None yet', description: 'Move it now and set the resolution afterwards.' };
  return showDialog({
    title: `Move ${key} to ${to.name}`,
    className: 'small',
    build: (close) =>
      h(
        'form',
        {
          submit: (event) => {
            event.preventDefault();
            const value = new FormData(event.target).get('resolution');
            close({ resolution: value === '' ? null : value });
          },
        },
        h('fieldset', {}, h('legend', {}, 'Resolution'), ...[...choices, later].map(option)),
        h(
          'div',
          { class: 'buttons' },
          h('button', { type: 'button', class: 'quiet', click: () => close() }, 'Cancel'),
          h('button', { type: 'submit', class: 'primary' }, `Move to ${to.name}`),
        ),
      ),
  });
}
