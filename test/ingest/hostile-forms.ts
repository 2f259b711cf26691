// Hostile and broken forms: kinds written by hand, times reports of every format.

import { gzipSync } from 'node:zlib';
import { type File, formBody, picture, png } from '../evidence/support';
import { readFixture } from './support';

export type HostileForm = { what: string; body: Buffer; contentType: string; gzip?: boolean };
type Kind = { kind: string; make: (report: File) => Buffer; contentType?: string; gzip?: boolean };

const boundary = 'edge';
export const formType = `multipart/form-data; boundary=${boundary}`;
const reports = {
  axe: 'axe/no-passes.json',
  pa11y: 'pa11y/htmlcs.json',
  'pa11y-ci': 'pa11y/ci.json',
  Lighthouse: 'lighthouse/report.json',
  SARIF: 'sarif/semgrep.sarif',
  CTRF: 'ctrf/jest.json',
  Playwright: 'playwright/report.json',
  'JUnit of pytest': 'junit/pytest-reruns.xml',
  'JUnit of Surefire': 'junit/surefire-reruns.xml',
};

const hugeHeader = `X-Long: ${'x'.repeat(100_000)}\r\nContent-Disposition`;
const shot = picture('shot', png('shot'), 'shot.png');
const form = (...files: File[]) => formBody(files, boundary);
const cut = (body: Buffer, share: number) => body.subarray(0, Math.floor(body.length * share));
const named = (filename: string, bytes: Uint8Array | string = png('x')): File => ({
  ...shot,
  filename,
  bytes: Buffer.from(bytes),
});
const replaced = (body: Buffer, from: string, to: string) =>
  Buffer.from(body.toString('latin1').replaceAll(from, to), 'latin1');

const kinds: readonly Kind[] = [
  { kind: 'cut at a tenth', make: (report) => cut(form(report, shot), 0.1) },
  { kind: 'cut in the middle', make: (report) => cut(form(report, shot), 0.5) },
  { kind: 'without its closing boundary', make: (report) => form(report, shot).subarray(0, -(boundary.length + 8)) },
  { kind: 'with half a closing boundary', make: (report) => form(report, shot).subarray(0, -4) },
  { kind: 'under another boundary', make: (report) => form(report, shot), contentType: `${formType}s` },
  { kind: 'without a boundary', make: (report) => form(report, shot), contentType: 'multipart/form-data' },
  {
    kind: 'as another kind of multipart',
    make: (report) => form(report, shot),
    contentType: `multipart/mixed; boundary=${boundary}`,
  },
  { kind: 'with line feeds alone', make: (report) => replaced(form(report, shot), '\r\n', '\n') },
  { kind: 'twice', make: (report) => form(report, { ...report, field: 'again' }) },
  { kind: 'with a picture for a report', make: () => form({ ...shot, field: 'report' }) },
  { kind: 'without its report', make: () => form(shot) },
  { kind: 'with a note', make: (report) => form(report, { ...report, field: 'note', filename: '' }) },
  { kind: 'with a picture without a file name', make: (report) => form(report, named('')) },
  { kind: 'with a picture that climbs out', make: (report) => form(report, named('../../../shot.png')) },
  { kind: 'with a picture that climbs out of Windows', make: (report) => form(report, named('..\\\\..\\\\shot.png')) },
  { kind: 'under a name that climbs out', make: (report) => form({ ...report, filename: '../../report' }, shot) },
  { kind: 'with a web page for a picture', make: (report) => form(report, named('shot.png', '<html><script>')) },
  { kind: 'with an SVG', make: (report) => form(report, named('shot.svg', '<svg onload="x()"/>')) },
  { kind: 'with half a PNG header', make: (report) => form(report, named('shot.png', '\x89PNG')) },
  { kind: 'with an empty picture', make: (report) => form(report, named('shot.png', '')) },
  { kind: 'with a program for a picture', make: (report) => form(report, named('shot.png', 'MZ\x90\x00\x03')) },
  {
    kind: 'with a hundred pictures',
    make: (report) => form(report, ...Array.from({ length: 100 }, (_, n) => named(`${n}.png`))),
  },
  {
    kind: 'with a part without a name',
    make: (report) => replaced(form(report, shot), 'form-data; name="shot"; filename="shot.png"', 'form-data'),
  },
  {
    kind: 'with a part that is no form data',
    make: (report) => replaced(form(report, shot), 'form-data; name="shot"', 'attachment; name="shot"'),
  },
  { kind: 'with huge headers', make: (report) => replaced(form(report, shot), 'Content-Disposition', hugeHeader) },
  { kind: 'plain, though it says gzip', make: (report) => form(report, shot), gzip: true },
  { kind: 'in half a gzip file', make: (report) => gzipSync(form(report, shot)).subarray(0, -20), gzip: true },
  {
    kind: 'with a report cut short',
    make: (report) => form({ ...report, bytes: report.bytes.subarray(0, 300) }, shot),
  },
  { kind: 'with a report twice in one part', make: (report) => form({ ...report, bytes: twice(report.bytes) }, shot) },
];

/** All of them. */
export function hostileForms(): HostileForm[] {
  return Object.entries(reports).flatMap(([name, fixture]) => {
    const report: File = { field: 'report', filename: 'report', bytes: Buffer.from(readFixture(fixture)) };
    return kinds.map(({ kind, make, contentType = formType, gzip }) => ({
      what: `${name}, a form ${kind}`,
      body: make(report),
      contentType,
      ...(gzip ? { gzip } : {}),
    }));
  });
}

/** A report in a form, with a picture. */
export function inForm(bytes: Uint8Array): Buffer {
  return form({ field: 'report', filename: 'report', bytes }, shot);
}

function twice(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, bytes]);
}
