// Windows so narrow that an open thread takes the place of the conversation; the width is the one of layout.css.
export const narrow = matchMedia('(max-width: 900px)');

/** Says of the thread what it is: the main part where it stands alone, with a title of the first level. */
export function nameThread(thread, { title, messages }) {
  const isAlone = narrow.matches;
  thread.setAttribute('role', isAlone ? 'main' : 'complementary');
  title.setAttribute('aria-level', isAlone ? '1' : '2');
  messages.hidden = !isAlone;
}

/** Lets the skip link lead to what is shown. */
export function aimSkipLink(isThreadOpen) {
  document.querySelector('.skip').href = isThreadOpen && narrow.matches ? '#thread' : '#main';
}
