import type { SecretBox } from '../prisma/secret-box';

const context = 'slack:response_url';

/** Seals the addresses that Slack's windows carry, so that their submission can answer in the message before them. */
export function createSealer(box: Pick<SecretBox, 'seal' | 'open'>) {
  return {
    seal: (url: string): string => box.seal(url, context).toString('base64url'),
    open(sealed: string | null): string | null {
      if (sealed === null) return null;
      try {
        return box.open(Buffer.from(sealed, 'base64url'), context);
      } catch (error) {
        // Sealed with a key that is gone, or by an older release.
        if (error instanceof Error && error.name === 'SecretBoxError') return null;
        throw error;
      }
    },
  };
}
