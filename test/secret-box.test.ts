import { randomBytes } from 'node:crypto';
import { createSecretBox, parseEncryptionKeys, SecretBoxError } from '../prisma/secret-box';

const SECRET = 'ATATT3xFfGF0-a-token-Ω';
const CONTEXT = 'connection:8a1f:credentials';
const older = { id: '2025-01', key: randomBytes(32) };
const newer = { id: '2026-01', key: randomBytes(32) };

describe('the secret box', () => {
  it('opens what it sealed', () => {
    const box = createSecretBox([newer]);
    expect(box.open(box.seal(SECRET, CONTEXT), CONTEXT)).toBe(SECRET);
    expect(box.open(box.seal('', CONTEXT), CONTEXT)).toBe('');
  });

  it('opens bytes as the database returns them, a view into a larger buffer included', () => {
    const box = createSecretBox([newer]);
    const sealed = box.seal(SECRET, CONTEXT);
    const larger = new Uint8Array(sealed.length + 20);
    larger.set(sealed, 7);
    expect(box.open(larger.subarray(7, 7 + sealed.length), CONTEXT)).toBe(SECRET);
  });

  it('never writes the same bytes twice, nor the secret itself', () => {
    const box = createSecretBox([newer]);
    const [one, two] = [box.seal(SECRET, CONTEXT), box.seal(SECRET, CONTEXT)];
    expect(one.equals(two)).toBe(false);
    expect(one.includes(SECRET)).toBe(false);
  });

  it('seals with the first key and opens with any, so that keys can be rotated', () => {
    const before = createSecretBox([older]).seal(SECRET, CONTEXT);
    const box = createSecretBox([newer, older]);
    expect(box.keyIdOf(before)).toBe('2025-01');
    expect(box.open(before, CONTEXT)).toBe(SECRET);
    expect(box.keyIdOf(box.seal(SECRET, CONTEXT))).toBe('2026-01');
  });

  it('does not open in another row or column', () => {
    const box = createSecretBox([newer]);
    const sealed = box.seal(SECRET, CONTEXT);
    expect(() => box.open(sealed, 'connection:8a1f:webhook_secret')).toThrow(SecretBoxError);
  });

  it('does not open when any byte was changed or cut off', () => {
    const box = createSecretBox([newer]);
    const sealed = box.seal(SECRET, CONTEXT);
    for (let index = 0; index < sealed.length; index += 1) {
      const altered = Buffer.from(sealed);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(() => box.open(altered, CONTEXT)).toThrow(SecretBoxError);
      expect(() => box.open(sealed.subarray(0, index), CONTEXT)).toThrow(SecretBoxError);
    }
  });

  it('names neither the secret nor the key when it fails', () => {
    const sealed = createSecretBox([older]).seal(SECRET, CONTEXT);
    const other = { id: older.id, key: randomBytes(32) };
    for (const box of [createSecretBox([newer]), createSecretBox([other])]) {
      const error = failureOf(() => box.open(sealed, CONTEXT));
      expect(error).toBeInstanceOf(SecretBoxError);
      expect(`${error.message}${error.stack}`).not.toContain(SECRET);
      expect(error.message).not.toContain(older.id);
      expect(error.cause).toBeUndefined();
    }
  });

  it('refuses to start without a key, with a short one, or with two of one name', () => {
    expect(() => createSecretBox([])).toThrow('No encryption key');
    expect(() => createSecretBox([{ id: 'a', key: randomBytes(16) }])).toThrow('16 bytes and needs 32');
    expect(() => createSecretBox([newer, { ...older, id: newer.id }])).toThrow('same id');
  });
});

describe('reading encryption keys', () => {
  const encoded = newer.key.toString('base64');

  it('reads a list in the order given', () => {
    const keys = parseEncryptionKeys(`new:${encoded}, old:${older.key.toString('base64')}`);
    expect(keys.map(({ id }) => id)).toEqual(['new', 'old']);
    expect(keys[0]?.key.equals(newer.key)).toBe(true);
  });

  it.each([
    ['', 'No encryption key is given'],
    [encoded, 'Encryption key 1 has no id'],
    [`:${encoded}`, 'Encryption key 1 has no id'],
    [`a:${encoded},b b:${encoded}`, 'Encryption key 2: its id must be'],
    ['a:c2hvcnQ=', 'Encryption key 1 has 5 bytes and needs 32'],
    ['a:not base64!', 'Encryption key 1 is not base64'],
    [`a:${encoded},a:${encoded}`, 'same id'],
  ])('says what is wrong with %j without repeating it', (text, message) => {
    const error = failureOf(() => parseEncryptionKeys(text));
    expect(error.message).toContain(message);
    expect(error.message).not.toContain(encoded);
  });
});

function failureOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It did not fail.');
}
