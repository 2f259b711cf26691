import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Home } from './home';

/** Made once per home; never printed. */
export interface Secrets {
  postgresPassword: string;
  /** `<id>:<base64 of 32 bytes>`, as ENCRYPTION_KEYS takes it. */
  encryptionKeys: string;
  slackSigningSecret: string;
  slackBotToken: string;
}

const FILE = 'secrets.json';

/** The secrets of this home, kept in `secrets.json` (mode 600); what is missing there is made. Throws where it is broken. */
export function loadSecrets(home: Home): Secrets {
  const made: Secrets = {
    postgresPassword: randomBytes(24).toString('hex'),
    encryptionKeys: `local:${randomBytes(32).toString('base64')}`,
    slackSigningSecret: randomBytes(16).toString('hex'),
    slackBotToken: `xoxb-local-${randomBytes(18).toString('hex')}`,
  };
  const kept = home.read<Partial<Secrets>>(FILE);
  if (!kept && existsSync(home.path(FILE))) {
    throw new Error(
      `${home.path(FILE)} is cut off or was changed: it is no JSON object. The data cannot be read without it. ` +
        'Restore it from a backup, or begin anew: npm start -- --fresh',
    );
  }
  const secrets = { ...made, ...kept };
  home.write(FILE, secrets);
  return secrets;
}
