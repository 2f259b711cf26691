import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Seals and opens the secrets that are stored in columns; made by `createSecretBox`. */
export type SecretBox = ReturnType<typeof createSecretBox>;

export interface EncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** A sealed value could not be opened. Its message names the cause, never the secret, a key or a key's id. */
export class SecretBoxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SecretBoxError';
  }
}

/**
 * AES-256-GCM for values at rest. The first key encrypts; all of them decrypt, so a key is rotated by putting a new
 * one in front and sealing again what `keyIdOf` shows to be older.
 *
 * The `context` (such as `connection:<id>:credentials`) is authenticated with the value: a ciphertext copied to
 * another row or column does not open there. Throws a `SecretBoxError` where a value cannot be opened.
 *
 * Layout: version (1 byte), length of the key id (1 byte), key id, IV (12), tag (16), ciphertext.
 */
export function createSecretBox(keys: ReadonlyArray<EncryptionKey>) {
  const [current] = keys;
  if (!current) throw new Error('No encryption key is configured. Give at least one, as id:base64 of 32 random bytes.');
  const byId = new Map(keys.map(({ id, key }) => [id, key]));
  if (byId.size !== keys.length)
    throw new Error('Two encryption keys have the same id. Give each key an id of its own.');
  for (const key of keys) checkKey(key);

  return {
    /** Encrypts with the first key, under a fresh IV. */
    seal(plaintext: string, context: string): Buffer<ArrayBuffer> {
      const header = headerOf(current.id);
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.key, iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(additionalData(header, context));
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([header, iv, cipher.getAuthTag(), body]);
    },

    /** Decrypts with whichever key sealed it. Throws a `SecretBoxError` for a wrong context, key or altered bytes. */
    open(sealed: Buffer | Uint8Array, context: string): string {
      const { keyId, header, iv, tag, body } = parse(sealed);
      const key = byId.get(keyId);
      if (!key) {
        throw new SecretBoxError(
          'A stored secret was sealed with a key that is not configured. Add that key back to the encryption keys.',
        );
      }
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(additionalData(header, context));
      decipher.setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
      } catch {
        // The cause is dropped: what OpenSSL says helps nobody and must not end in a log next to the value.
        throw new SecretBoxError(
          'A stored secret could not be opened: it was altered, moved from another row, or its key has changed.',
        );
      }
    },

    /** Whether the first key sealed a value. False also for bytes that are no sealed value. */
    isCurrent(sealed: Buffer | Uint8Array): boolean {
      try {
        return parse(sealed).keyId === current.id;
      } catch {
        return false;
      }
    },

    /** The id of the key that sealed a value, to find the values that a rotation has left behind. */
    keyIdOf(sealed: Buffer | Uint8Array): string {
      return parse(sealed).keyId;
    },
  };
}

/**
 * Reads `id:base64,id:base64,...`, the form of the environment variable; every key is 32 bytes.
 * Errors say which entry is wrong and what to write instead, never its value.
 */
export function parseEncryptionKeys(text: string): EncryptionKey[] {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
  if (entries.length === 0) throw new Error('No encryption key is given. Write id:base64, with 32 random bytes.');
  const keys = entries.map((entry, index) => parseKey(entry, index + 1));
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
    throw new Error('Two encryption keys have the same id. Give each key an id of its own.');
  }
  return keys;
}

function parseKey(entry: string, position: number): EncryptionKey {
  const colon = entry.indexOf(':');
  const where = `Encryption key ${position}`;
  if (colon < 1) throw new Error(`${where} has no id. Write it as id:base64.`);
  const id = entry.slice(0, colon);
  const encoded = entry.slice(colon + 1);
  if (!KEY_ID.test(id)) {
    throw new Error(`${where}: its id must be 1 to 64 letters, digits, dots, dashes or underscores.`);
  }
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) throw new Error(`${where} is not base64. Write it as id:base64.`);
  const key = Buffer.from(encoded, 'base64');
  if (key.length !== KEY_BYTES) {
    throw new Error(`${where} has ${key.length} bytes and needs ${KEY_BYTES}. Make one with: openssl rand -base64 32`);
  }
  return { id, key };
}

function checkKey({ id, key }: EncryptionKey): void {
  if (!KEY_ID.test(id))
    throw new Error('The id of an encryption key must be 1 to 64 letters, digits, ".", "-" or "_".');
  if (key.length !== KEY_BYTES) throw new Error(`An encryption key has ${key.length} bytes and needs ${KEY_BYTES}.`);
}

function headerOf(keyId: string): Buffer {
  const id = Buffer.from(keyId, 'utf8');
  return Buffer.concat([Buffer.from([VERSION, id.length]), id]);
}

function additionalData(header: Buffer, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context, 'utf8')]);
}

function parse(sealed: Buffer | Uint8Array) {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < 2 || bytes[0] !== VERSION) {
    throw new SecretBoxError('A stored secret has an unknown form. It was not written by this version of Recheck.');
  }
  const headerLength = 2 + (bytes[1] ?? 0);
  const ivEnd = headerLength + IV_BYTES;
  const tagEnd = ivEnd + TAG_BYTES;
  if (bytes.length < tagEnd) throw new SecretBoxError('A stored secret is cut short. Enter the secret again.');
  return {
    keyId: bytes.toString('utf8', 2, headerLength),
    header: bytes.subarray(0, headerLength),
    iv: bytes.subarray(headerLength, ivEnd),
    tag: bytes.subarray(ivEnd, tagEnd),
    body: bytes.subarray(tagEnd),
  };
}
