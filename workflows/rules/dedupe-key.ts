// What makes two sightings the same finding. The canonical text is hashed outside, because rules know no built-ins.

import type { Grouping } from './vocabulary';

/** Raised when the same finding would get another text; old and new keys never meet by accident. */
const KEY_VERSION = 1;

export type FindingIdentity = { rule: string; page: string | null; element: string | null };

/**
 * The text whose SHA-256 is the finding's key (and fingerprint) in its source: version, grouping's grain, rule, and
 * the page and element where the grouping tells them apart.
 */
export function findingText(identity: FindingIdentity, grouping: Grouping): string {
  const parts = [KEY_VERSION, grouping, identity.rule];
  if (grouping !== 'rule') parts.push(identity.page ?? '');
  if (grouping === 'element') parts.push(identity.element ?? '');
  return JSON.stringify(parts);
}

/** The text whose SHA-256 is an occurrence's key within its finding, whatever the grouping. */
export function occurrenceText(place: { page: string | null; element: string | null }): string {
  return JSON.stringify([KEY_VERSION, place.page ?? '', place.element ?? '']);
}

/** What runners put into a test's name and change from run to run. */
const nameNoise: readonly (readonly [RegExp, string])[] = [
  [/\b0x[0-9a-f]{6,16}\b/gi, '0x*'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '*'],
  // mocha names a test that fell with its hook for the hook; it is that test which passes again.
  [/"(?:before|after) (?:all|each)" hook(?:: .*?)? for "(.+)"$/, '$1'],
  [/\s+\(\d+(?:\.\d+)? ?m?s\)$/, ''],
];

/** Class names that say nothing: Node's runner writes `test` (and `suite`) for every case. */
const emptyClassNames = new Set(['', 'test', 'suite', 'undefined', 'null']);

/**
 * The full name of a test from what a JUnit file says of it, alike for every runner: jest-junit writes the full title
 * into both attributes, mocha the full title into the name and the short one into the class name, pytest and Surefire
 * a module or class, Playwright the file, and Node nested suites.
 */
export function testFullName(test: { name: string; className: string; suites: readonly string[] }): string {
  const name = stableName(test.name);
  const className = stableName(test.className);
  if (emptyClassNames.has(className)) return [...test.suites.map(stableName), name].filter(Boolean).join(' › ');
  if (name === '') return className;
  if (name.startsWith(className) || name.endsWith(className)) return name;
  return `${className} › ${name}`;
}

const fileName = /\.(?:[cm]?[jt]sx?|py|rb|php|feature|java|kt|cs|go)$/;

/**
 * What a CTRF report says of a test, as JUnit would: reporters join file, browser and `describe` titles into the
 * suite with " > ", and some write the full title into the name. Playwright's suite begins with the project.
 */
export function ctrfTest(test: { tool: string; name: string; suite: readonly string[] }): {
  full: string;
  file: string | null;
  project: string | null;
} {
  const parts = test.suite
    .flatMap((part) => part.split(' > '))
    .map(stableName)
    .filter(Boolean);
  const at = parts.findIndex((part) => fileName.test(part));
  const isPlaywright = test.tool.toLowerCase() === 'playwright';
  const file = at < 0 ? null : (parts[at] ?? null);
  const project = isPlaywright && at > 0 ? parts.slice(0, at).join(' > ') : null;
  const titles = at < 0 ? parts : parts.slice(at + 1);
  const name = stableName(test.name);
  if (isPlaywright) return { full: [file, ...titles, name].filter(Boolean).join(' › '), file, project };
  const whole = titles.length > 0 && name.startsWith(titles.join(' '));
  return { full: whole ? name : [...titles, name].filter(Boolean).join(' › '), file, project };
}

/** The full name of a Playwright test as its JUnit reporter writes it: file, titles of the groups, title. */
export function playwrightFullName(test: { file: string; titles: readonly string[] }): string {
  return [test.file, ...test.titles].map(stableName).filter(Boolean).join(' › ');
}

function stableName(name: string): string {
  const plain = name.replace(/\s+/g, ' ').trim();
  return nameNoise.reduce((done, [pattern, to]) => done.replace(pattern, to), plain);
}
