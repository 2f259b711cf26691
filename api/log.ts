import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

/** Names under which a secret may come along, at the top of a log entry and up to two levels down. */
const secretNames = [
  'authorization',
  'cookie',
  '["set-cookie"]',
  'token',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'apiToken',
  'apiKey',
  'api_key',
  'botToken',
  'clientSecret',
  'client_secret',
  'secret',
  'webhookSecret',
  'signingSecret',
  'password',
  'credentials',
  'signature',
  '["x-hub-signature"]',
  '["x-slack-signature"]',
  'response_url',
  'responseUrl',
  'databaseUrl',
];

/**
 * The process's logger: JSON lines with `name` and without secrets. Of an error only type, message, stack and causes are
 * logged: libraries hang requests, headers and all, on theirs.
 */
export function createLogger(options: { level: string; name: string; destination?: DestinationStream }): Logger {
  const { level, name, destination } = options;
  const settings = {
    level,
    name,
    redact: { paths: redactedPaths(), censor: '[redacted]' },
    serializers: { err: plainError, error: plainError },
  };
  return destination ? pino(settings, destination) : pino(settings);
}

function redactedPaths(): string[] {
  return secretNames.flatMap((name) => {
    const below = name.startsWith('[') ? name : `.${name}`;
    return [name, `*${below}`, `*.*${below}`];
  });
}

function plainError(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { type, message, stack } = stdSerializers.err(value);
  const code =
    'code' in value && (typeof value.code === 'string' || typeof value.code === 'number') ? value.code : undefined;
  return { type, message, stack, code };
}
