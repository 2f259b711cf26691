// A Jest reporter that writes JUnit XML, one suite per test file. Options: outputFile, rootDir (taken off file names).

const { writeFileSync } = require('node:fs');
const { relative } = require('node:path');

class JestJunitReporter {
  constructor(_globalConfig, { outputFile, rootDir }) {
    this.outputFile = outputFile;
    this.rootDir = rootDir;
  }

  onRunComplete(_contexts, { testResults, numTotalTests, numFailedTests, startTime }) {
    const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
    lines.push(
      open('testsuites', { name: 'jest', tests: numTotalTests, failures: numFailedTests, timestamp: iso(startTime) }),
    );
    for (const result of testResults) lines.push(...this.suite(result));
    lines.push('</testsuites>');
    writeFileSync(this.outputFile, `${lines.join('\n')}\n`);
  }

  suite({ testFilePath, testResults, perfStats, numFailingTests, numPendingTests, numTodoTests }) {
    const file = relative(this.rootDir, testFilePath);
    const tests = testResults.length;
    const counts = { tests, failures: numFailingTests, errors: 0, skipped: numPendingTests + numTodoTests };
    const lines = [open('testsuite', { name: file, ...counts, timestamp: iso(perfStats.start), file })];
    for (const test of testResults) lines.push(...this.testCase(test, file));
    lines.push('</testsuite>');
    return lines;
  }

  testCase({ ancestorTitles, title, status, duration, failureMessages }, file) {
    const attributes = { classname: ancestorTitles.join(' '), name: title, file, time: (duration ?? 0) / 1000 };
    if (status === 'passed') return [open('testcase', attributes).replace(/>$/, '/>')];
    if (status !== 'failed') return [open('testcase', attributes), '<skipped/>', '</testcase>'];
    const stack = failureMessages.map((message) => this.plain(message)).join('\n\n');
    const failure = open('failure', {
      message: stack.split('\n', 1)[0],
      type: /^\w*Error/.exec(stack)?.[0] ?? 'Error',
    });
    return [open('testcase', attributes), `${failure}${escapeXml(stack)}</failure>`, '</testcase>'];
  }

  plain(text) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character
    const colourless = text.replace(/\u001b\[\d*m/g, '');
    const own = colourless.split('\n').filter((line) => !line.includes('node_modules'));
    return own.join('\n').replaceAll(`${this.rootDir}/`, '');
  }
}

function open(name, attributes) {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  return `<${name}${pairs.join('')}>`;
}

function escapeXml(text) {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}

function iso(time) {
  return new Date(time).toISOString();
}

module.exports = JestJunitReporter;
