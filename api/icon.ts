import type { RequestHandler } from 'express';

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="8" fill="#0b6b6f"/><path d="M27.2 13.2A10.3 10.3 0 1 0 28.3 18M28.9 7.6v6.2h-6.2M13.2 18.4l3.4 3.4 6.4-7" fill="none" stroke="#fff" stroke-width="2.7" stroke-linecap="round" stroke-linejoin="round"/></svg>
`;

/** The icon of every page, which browsers ask for by themselves. */
export const sendIcon: RequestHandler = (_req, res) => {
  res.set('cache-control', 'public, max-age=86400').type('image/svg+xml').send(ICON);
};
