import { type Logger, LogLevel } from '@slack/bolt';

/** The part of a pino logger that the bot uses. */
export type Log = Record<'info' | 'warn' | 'error', (fields: Record<string, unknown>, message: string) => void>;

/** An error as it may be logged: Slack's own errors can carry whole answers, so only these few fields go out. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: withoutSecrets(String(error)) };
  const { name, message, stack, code } = error as Error & { code?: unknown };
  return {
    error: withoutSecrets(message),
    errorName: name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(stack ? { stack: withoutSecrets(stack) } : {}),
  };
}

/** Bolt's and the Web API client's log lines as lines of ours. Their debug lines hold message contents: left out. */
export function boltLogger(log: Log): Logger {
  const to =
    (level: 'info' | 'warn' | 'error') =>
    (...parts: unknown[]) => {
      const error = parts.find((part) => part instanceof Error);
      const words = parts.filter((part) => typeof part === 'string').map(withoutSecrets);
      log[level](error ? errorFields(error) : {}, `slack: ${words.join(' ') || 'error in a listener'}`);
    };
  return {
    debug: () => undefined,
    info: to('info'),
    warn: to('warn'),
    error: to('error'),
    setLevel: () => undefined,
    getLevel: () => LogLevel.INFO,
    setName: () => undefined,
  };
}

function withoutSecrets(text: string): string {
  return text
    .replace(/\bx(?:ox[a-z]|app)-[\w-]+/g, '[token]')
    .replace(/https:\/\/hooks\.slack\.com\/\S+/g, '[response url]');
}
