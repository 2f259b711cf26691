import { createHmac } from 'node:crypto';
import type { Settings } from './context';

const ANSWER_MS = 3000;

/** What the app answered to a signed request. */
export interface Delivery {
  /** HTTP status; null when no answer came. */
  status: number | null;
  body: unknown;
  /** Slack's word for what went wrong, as the user sees it; absent when the app answered 2xx in time. */
  error?: 'operation_timeout' | 'dispatch_failed' | 'http_client_error' | 'http_service_error';
}

/**
 * Sends a request to the app's request URL, signed as Slack signs (v0, HMAC-SHA256 over timestamp and raw body), with
 * Slack's bare content types. The app has 3 seconds. Never throws: every failure is an `error` of the delivery.
 */
export async function deliver(
  settings: Settings,
  { body, type, headers = {} }: { body: string; type: 'form' | 'json'; headers?: Record<string, string> },
): Promise<Delivery> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', settings.signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  try {
    const answer = await fetch(settings.requestUrl, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: {
        'content-type': type === 'form' ? 'application/x-www-form-urlencoded' : 'application/json',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${signature}`,
        'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
        ...headers,
      },
      body,
    });
    const delivery = { status: answer.status, body: parsed(await answer.text()) };
    if (answer.ok) return delivery;
    return { ...delivery, error: answer.status >= 500 ? 'http_service_error' : 'http_client_error' };
  } catch (error) {
    const late = (error as { name?: string }).name === 'TimeoutError';
    return { status: null, body: '', error: late ? 'operation_timeout' : 'dispatch_failed' };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
