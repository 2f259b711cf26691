// The person at the sandbox's consent page, without a browser.

/** Answers an authorization request; resolves to the address that the browser is sent to, with `code` or `error`. */
export async function answerConsent(authorizeUrl: string, decision: 'accept' | 'cancel' = 'accept'): Promise<URL> {
  const asked = new URL(authorizeUrl);
  const response = await fetch(new URL('/authorize', asked), {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams([...asked.searchParams, ['decision', decision]]),
  });
  const location = response.headers.get('location');
  if (response.status === 302 && location) return new URL(location);
  throw new Error(`The consent page answered ${response.status}: ${await response.text()}`);
}
