import { ApplicationFailure } from '@temporalio/common';
import type { JiraErrorKind } from '../../activities/jira/errors';
import { JiraError, toActivityFailure } from '../../activities/jira/errors';

function failureOf(kind: JiraErrorKind, extra: { retryAfterMs?: number } = {}): ApplicationFailure {
  const error = new JiraError({ kind, operation: 'addComment', message: 'said Jira', status: 418, ...extra });
  const failure = toActivityFailure(error);
  if (!(failure instanceof ApplicationFailure)) throw new Error('It is no ApplicationFailure.');
  return failure;
}

describe('the failure of an activity', () => {
  it.each<[JiraErrorKind, string, boolean]>([
    ['auth', 'JiraAuth', true],
    ['scope', 'JiraScope', true],
    ['forbidden', 'JiraForbidden', true],
    ['not-found', 'JiraNotFound', true],
    ['rejected', 'JiraRejected', true],
    ['conflict', 'JiraConflict', false],
    ['rate-limited', 'JiraRateLimited', false],
    ['unavailable', 'JiraUnavailable', false],
    ['ambiguous', 'JiraAmbiguous', false],
  ])('for %s is %s, final: %s', (kind, type, final) => {
    const failure = failureOf(kind);
    expect(failure.type).toBe(type);
    expect(failure.nonRetryable).toBe(final);
    expect(failure.details?.[0]).toMatchObject({ kind, operation: 'addComment', status: 418 });
  });

  it('waits as long as Jira asks for when rate limited', () => {
    expect(failureOf('rate-limited', { retryAfterMs: 9_000 }).nextRetryDelay).toBe(9_000);
    expect(failureOf('unavailable', { retryAfterMs: 9_000 }).nextRetryDelay).toBeFalsy();
  });

  it('leaves other errors alone', () => {
    const error = new TypeError('ours');
    expect(toActivityFailure(error)).toBe(error);
  });
});
