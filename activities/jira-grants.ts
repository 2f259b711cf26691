// Renewing OAuth grants of stored connections: once at a time in this process, under the row lock for all processes.

import type { Db } from '../prisma/client';
import type { RenewedGrant } from '../prisma/grants';
import { JiraError } from './jira/errors';
import type { OauthGrant } from './jira/oauth';

export type GrantRenewal = ReturnType<typeof createGrantRenewal>;

type RenewalDeps = {
  connections: Pick<Db['connections'], 'renewGrant'>;
  /** Spends a refresh token in bounded time; undefined where no OAuth app is configured. */
  refresh: ((refreshToken: string) => Promise<OauthGrant>) | undefined;
};

// More than two exchanges with Atlassian take: whoever waits for the lock then finds the result.
const LOCK_TIMEOUT_MS = 20_000;

/** Renews the grants of stored connections. */
export function createGrantRenewal({ connections, refresh }: RenewalDeps) {
  const underWay = new Map<string, Promise<RenewedGrant>>();

  async function exchange(refreshToken: string): Promise<OauthGrant> {
    if (!refresh) throw withoutApp();
    try {
      return await refresh(refreshToken);
    } catch (error) {
      // The answer was lost, and the token may be spent: asked again at once, within the ten minutes in which
      // Atlassian takes it a second time.
      if (error instanceof JiraError && error.kind === 'unavailable' && error.status === undefined) {
        return await refresh(refreshToken);
      }
      throw error;
    }
  }

  async function renewOnce(id: string, spent: string): Promise<RenewedGrant> {
    const renewed = await connections
      .renewGrant({ id, spent, lockTimeoutMs: LOCK_TIMEOUT_MS, renew: exchange })
      .catch((error: unknown) => {
        throw isLockTimeout(error) ? busy() : error;
      });
    if (renewed) return renewed;
    throw new JiraError({ kind: 'auth', operation: 'refresh', message: 'The Jira connection was disconnected.' });
  }

  return {
    /**
     * The grant of a connection with an access token other than `spent`: renewed here, or by somebody else meanwhile.
     * It is stored before it is answered. Throws `JiraError`, `auth` where the grant is dead.
     */
    async renew(id: string, spent: string): Promise<RenewedGrant> {
      const known = underWay.get(id);
      const running = known ?? renewOnce(id, spent).finally(() => underWay.delete(id));
      if (!known) underWay.set(id, running);
      const renewed = await running;
      // It was under way for an older token than ours.
      return renewed.accessToken === spent ? await renewOnce(id, spent) : renewed;
    },
  };
}

function isLockTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === '55P03';
}

function busy(): JiraError {
  return new JiraError({
    kind: 'unavailable',
    operation: 'refresh',
    reason: 'grant-locked',
    message: 'Another process is still renewing the grant. Nothing was sent; it is tried again.',
  });
}

function withoutApp(): JiraError {
  return new JiraError({
    kind: 'unavailable',
    operation: 'refresh',
    reason: 'no-oauth-app',
    message: 'No OAuth app is configured: set ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET. The grant is kept.',
  });
}
