import { describe, expect, it } from 'vitest';
import { KataMockError } from '../errors.ts';
import { buildProgram } from './program.ts';
import { reportError } from './report.ts';

function report(error: unknown) {
  let text = '';
  const exitCode = reportError(error, (chunk) => {
    text += chunk;
  });
  return { text, exitCode };
}

describe('reportError', () => {
  it('answers 2 for wrong usage and 1 for a failure, with one message and its hint', () => {
    expect(report(new KataMockError('USAGE', 'no such key "colour"', { hint: 'keys: uuid, memory' }))).toEqual({
      text: 'kata-mock: no such key "colour"\n  keys: uuid, memory\n',
      exitCode: 2,
    });
    expect(report(new KataMockError('HOST', 'no virtiofsd'))).toEqual({
      text: 'kata-mock: no virtiofsd\n',
      exitCode: 1,
    });
  });

  it('prints no stack for an error that carries a code, and one for a defect', () => {
    expect(report(Object.assign(new Error('gone'), { code: 'ENOENT' })).text).toBe('kata-mock: gone\n');
    expect(report(new TypeError('x is not a function')).text).toMatch(/TypeError: x is not a function\n +at /);
  });

  it('takes an unknown command for wrong usage and --help for success', async () => {
    const program = buildProgram().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    const thrown = async (...args: string[]) =>
      program.parseAsync(['node', 'kata-mock', ...args]).then(
        () => undefined,
        (error: unknown) => report(error).exitCode,
      );
    expect(await thrown('no-such-command')).toBe(2);
    expect(await thrown('--help')).toBe(0);
  });
});
