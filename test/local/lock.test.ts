import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { missingPackages } = require('../../local/complete-lock.cjs') as {
  missingPackages: (lock: object) => [name: string, version: string][];
};

describe('package-lock.json', () => {
  it('names the packages of every system, or npm ci refuses it (node local/complete-lock.cjs adds them)', () => {
    const lock = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package-lock.json'), 'utf8'));
    expect(missingPackages(lock)).toEqual([]);
  });
});
