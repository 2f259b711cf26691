import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express, NextFunction, Request, Response } from 'express';

export interface Listening {
  url: string;
  port: number;
  close(): Promise<void>;
}

/**
 * Serves an Express app on 127.0.0.1. Port 0 takes a free one.
 * `close` ends open connections too (event streams, keep-alive) and resolves when the port is free again.
 */
export async function listenLocally(app: Express, port: number): Promise<Listening> {
  const server = createServer(app);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * Express middleware for the pages of a sandbox, which act for a person without a login: a browser tells by
 * `Sec-Fetch-Site` when another page makes a request, and a change asked for by one is refused with 403. Links are fine.
 */
export function refuseOtherSites(req: Request, res: Response, next: NextFunction): void {
  const from = req.get('sec-fetch-site');
  const reads = req.method === 'GET' || req.method === 'HEAD';
  if (reads || from === undefined || from === 'same-origin' || from === 'none') {
    next();
    return;
  }
  res.status(403).json({ error: 'This sandbox takes changes only from its own pages. Open it at its own address.' });
}

/** Answers text safe to place in HTML, in element content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
