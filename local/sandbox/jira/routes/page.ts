import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { Router } from 'express';
import { escapeHtml } from '../../http';
import { issueTypes } from '../catalog';
import type { Jira } from '../jira';
import { findAccount } from '../site';
import { shell } from './shell';

const pageFolder = join('local', 'sandbox', 'jira', 'page');
const hues = ['#0c66e4', '#6e5dc6', '#1f845a', '#ae2e24', '#206a83', '#943d73'];

/** The board, the issue pages, and what they load. */
export function createPageRouter({ site }: Jira): Router {
  const router = Router();
  router.get('/', (_req, res) => {
    res.redirect(`/projects/${site.projects[0]?.key ?? ''}/board`);
  });
  router.get('/projects/:key/board', (req, res) => {
    const project = site.projects.find(({ key }) => key === req.params.key);
    if (!project) res.redirect('/');
    else res.type('html').send(shell(site, { title: `${project.name} board`, projectKey: project.key }));
  });
  router.get('/browse/:key', (req, res) => {
    const issueKey = req.params.key.toUpperCase();
    const [projectKey = ''] = issueKey.split('-');
    res.type('html').send(shell(site, { title: issueKey, projectKey, issueKey }));
  });
  router.use('/assets', express.static(findPageFolder(), { cacheControl: true, maxAge: 0 }));
  router.get('/secure/useravatar/:id', (req, res) => {
    const name = findAccount(site, req.params.id)?.displayName ?? '?';
    res.type('image/svg+xml').send(initialsSvg(name, { round: true }));
  });
  router.get('/secure/projectavatar/:key', (req, res) => {
    res.type('image/svg+xml').send(initialsSvg(req.params.key, { round: false }));
  });
  router.get('/images/icons/*file', (_req, res) => {
    res.type('image/svg+xml').send(initialsSvg(issueTypes()[0]?.name ?? '', { round: false }));
  });
  router.get('/sandbox/attachments/:id', async (req, res) => {
    const { rows } = await site.pool.query<{ filename: string; mime_type: string; bytes: Buffer }>(
      'select filename, mime_type, bytes from jira.attachments where id::text = $1',
      [req.params.id],
    );
    const [file] = rows;
    if (!file) res.status(404).type('text').send('There is no such attachment.');
    // A file is somebody's content: a browser must neither guess its type nor run it.
    else res.set({ 'content-type': file.mime_type, 'content-security-policy': 'sandbox' }).send(file.bytes);
  });
  return router;
}

// The page's own files are not compiled: the build leaves them where they are, outside its output.
function findPageFolder(): string {
  const roots = [join(__dirname, '..', '..', '..', '..'), join(__dirname, '..', '..', '..', '..', '..')];
  const found = roots.map((root) => join(root, pageFolder)).find((folder) => existsSync(folder));
  if (found) return found;
  throw new Error(`The sandbox's page is missing: no folder ${pageFolder} above ${__dirname}.`);
}

function initialsSvg(name: string, { round }: { round: boolean }): string {
  const initials = name
    .split(' ')
    .map((part) => part.charAt(0))
    .join('')
    .slice(0, 2)
    .toUpperCase();
  const hue = hues[[...name].reduce((sum, character) => sum + character.charCodeAt(0), 0) % hues.length];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" width="48" height="48">
<rect width="48" height="48" rx="${round ? 24 : 10}" fill="${hue}"/>
<text x="24" y="31" text-anchor="middle" font-family="system-ui, sans-serif" font-size="19" font-weight="600" fill="#fff">${escapeHtml(initials)}</text>
</svg>`;
}
