import { randomBytes } from 'node:crypto';
import type { Home } from './home';

/** Made once per home; never printed. */
export interface Secrets {
  postgresPassword: string;
  /** `<id>:<base64 of 32 bytes>`, as ENCRYPTION_KEYS takes it. */
  encryptionKeys: string;
  slackSigningSecret: string;
  slackBotToken: string;
}

/** The secrets of this home, kept in `secrets.json` (mode 600); what is missing there is made. */
export function loadSecrets(home: Home): Secrets {
  const made: Secrets = {
    postgresPassword: randomBytes(24).toString('hex'),
    encryptionKeys: `local:${randomBytes(32).toString('base64')}`,
    slackSigningSecret: randomBytes(16).toString('hex'),
    slackBotToken: `xoxb-local-${randomBytes(18).toString('hex')}`,
  };
  const secrets = { ...made, ...home.read<Partial<Secrets>>('secrets.json') };
  home.write('secrets.json', secrets);
  return secrets;
}
