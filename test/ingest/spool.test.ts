import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { spoolReport } from '../../api/ingest/spool';

const limitBytes = 1_000_000;

describe('spoolReport', () => {
  it('writes the body, its size and hash, and removes it again', async () => {
    const body = randomBytes(300_000);
    const spooled = await spoolReport(Readable.from([body.subarray(0, 7), body.subarray(7)]), { limitBytes });
    expect(readFileSync(spooled.path)).toEqual(body);
    expect(spooled).toMatchObject({ size: 300_000, sha256: createHash('sha256').update(body).digest('hex') });
    await spooled.dispose();
    await spooled.dispose();
    expect(existsSync(dirname(spooled.path))).toBe(false);
  });

  it('unpacks gzip; the hash is of the plain content', async () => {
    const body = Buffer.from('<testsuite/>');
    const packed = await spoolReport(Readable.from([gzipSync(body)]), { limitBytes, gzip: true });
    const plain = await spoolReport(Readable.from([body]), { limitBytes });
    expect(packed.sha256).toBe(plain.sha256);
    await Promise.all([packed.dispose(), plain.dispose()]);
  });

  it('takes an empty body', async () => {
    const spooled = await spoolReport(Readable.from([]), { limitBytes });
    expect(spooled.size).toBe(0);
    await spooled.dispose();
  });

  it.each([
    ['too much', () => Readable.from([Buffer.alloc(limitBytes), Buffer.alloc(1)]), false, 'too_large'],
    ['a gzip bomb', () => Readable.from([gzipSync(Buffer.alloc(50_000_000))]), true, 'too_large'],
    ['what is no gzip', () => Readable.from([Buffer.from('<testsuite/>')]), true, 'compressed'],
    ['half a gzip file', () => Readable.from([gzipSync(randomBytes(10_000)).subarray(0, 5_000)]), true, 'truncated'],
  ])('refuses %s', async (_what, stream, gzip, code) => {
    await expect(spoolReport(stream(), { limitBytes, gzip })).rejects.toMatchObject({ name: 'ReportError', code });
  });

  it('says so when the sender goes away', async () => {
    const stream = new PassThrough();
    const spooling = spoolReport(stream, { limitBytes });
    stream.write('<testsuite>');
    stream.destroy();
    await expect(spooling).rejects.toMatchObject({ code: 'interrupted' });
  });
});
