import { Writable } from 'node:stream';
import { createSdkLogger } from '../../activities/temporal-runtime';
import { createLogger } from '../../api/log';

function written(level: string) {
  const lines: { [name: string]: unknown }[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { lines, log: createSdkLogger(createLogger({ level, name: 'worker', destination })) };
}

describe("O3 the worker's log", () => {
  it('has what the Temporal SDK says as JSON lines without secrets', () => {
    const { lines, log } = written('info');
    const error = Object.assign(new Error('it failed'), { headers: { authorization: 'hunter2' } });
    log.warn('Activity failed', {
      error,
      taskQueue: 'recheck',
      apiKey: 'hunter2',
      metadata: { authorization: 'hunter2' },
    });
    log.log('INFO', 'Worker state changed', { state: 'RUNNING' });
    expect(lines).toMatchObject([
      { level: 40, name: 'worker', msg: 'Activity failed', taskQueue: 'recheck', error: { message: 'it failed' } },
      { level: 30, msg: 'Worker state changed', state: 'RUNNING' },
    ]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('says nothing of queues that have no workflows on purpose', () => {
    const { lines, log } = written('trace');
    log.warn('No workflows registered, not polling for workflow tasks');
    expect(lines).toEqual([]);
  });

  it.each([
    ['trace', ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']],
    ['debug', ['DEBUG', 'INFO', 'WARN', 'ERROR']],
    ['info', ['INFO', 'WARN', 'ERROR']],
    ['warn', ['WARN', 'ERROR']],
    ['error', ['ERROR']],
    ['fatal', []],
    ['silent', []],
  ])('heeds LOG_LEVEL=%s', (level, said) => {
    const { lines, log } = written(level);
    for (const each of ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const) log.log(each, each);
    expect(lines.map(({ msg }) => msg)).toEqual(said);
  });
});
