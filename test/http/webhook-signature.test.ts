import { createHmac } from 'node:crypto';
import { hubSignatureMatches } from '../../api/webhook-signature';

// Atlassian's own test vector (Webhooks, "Testing the webhook payload validation").
const secret = "It's a Secret to Everybody";
const body = Buffer.from('Hello World!');
const hex = 'a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9';

describe('hubSignatureMatches', () => {
  it("takes Jira's own test vector", () => {
    expect(hubSignatureMatches({ secret, body, header: `sha256=${hex}` })).toBe(true);
    expect(hubSignatureMatches({ secret, body, header: `sha256=${hex.toUpperCase()}` })).toBe(true);
  });

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['no method', hex],
    ['another method', `sha1=${hex}`],
    ['another hash', `sha256=${hex.replace('a', 'b')}`],
    ['a cut hash', `sha256=${hex.slice(2)}`],
    ['a longer hash', `sha256=${hex}00`],
    ['no hex', `sha256=${'z'.repeat(64)}`],
  ])('refuses %s', (_what, header) => {
    expect(hubSignatureMatches({ secret, body, header })).toBe(false);
  });

  it('refuses everything where the secret is empty', () => {
    const ofEmptyKey = createHmac('sha256', '').update(body).digest('hex');
    expect(hubSignatureMatches({ secret: '', body, header: `sha256=${ofEmptyKey}` })).toBe(false);
  });
});
