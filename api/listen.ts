import type { Server } from 'node:http';

const words: { [code: string]: string } = {
  // `npm start` knows it by the code, and starts anew on another port (local/port-taken.ts).
  EADDRINUSE: 'is in use (EADDRINUSE): end what listens there, or choose another one',
  EACCES: 'may not be listened on by this user: choose one above 1023',
  EADDRNOTAVAIL: 'cannot be listened on: HOST is no address of this machine',
};

/** Listens; throws naming the variable that the port comes from where it cannot. */
export async function listen(server: Server, at: { host: string; port: number; variable: string }): Promise<void> {
  const { host, port, variable } = at;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const word = words[error.code ?? ''];
      reject(word ? new Error(`${variable} ${port} ${word}.`, { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
}
