import { execFileSync } from 'node:child_process';
import { truncateSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directory, put, spec } from '../../test-support/directories.ts';
import { CdiError } from '../errors.ts';
import { readCdiSpec } from './file.ts';
import { parseCdiSpec } from './text.ts';

const K = 1024;
const fill = (unit: string, bytes: number) => unit.repeat(Math.floor(bytes / unit.length));
const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((name, index) => `${name}: &${name} [${fill(`*${'abcdefghij'[index]},`, 27)}]`).join('\n')}`;
const steps = Array.from({ length: 1400 }, (_, index) => `${' '.repeat(index)}a:`).join('\n');

describe('a hostile text is refused at once', { timeout: 60_000 }, () => {
  it.each<[string, string, 'yaml' | 'json', RegExp]>([
    ['aliases that expand to billions', bomb, 'yaml', /values, aliases expanded/],
    ['many aliases', `- &a x\n${fill('- *a\n', 250 * K)}`, 'yaml', /must be an object|aliases expanded/],
    ['many merges', `x: &x {a: 1}\ny:\n${fill('- <<: *x\n', 250 * K)}`, 'yaml', /unknown member|aliases expanded/],
    ['open brackets', fill('[', 250 * K), 'yaml', /nested/],
    ['open braces', fill('{a: ', 250 * K), 'yaml', /nested/],
    ['dashes in a row', fill('- ', 250 * K), 'yaml', /nested/],
    ['ever deeper indentation', steps, 'yaml', /nested/],
    [
      'a depth that the parser takes and CDI does not',
      `${'['.repeat(100)}${']'.repeat(100)}`,
      'yaml',
      /nested more than 64/,
    ],
    ['many errors', `[${fill(',', 90 * K)}`, 'yaml', /Unexpected ,/],
    ['500,000 values on one line', `[${fill('a,', 1000 * K)}a]`, 'yaml', /more than 100000 lines, commas and colons/],
    ['500,000 keys in one value', `{${fill('a:', 1000 * K)}}`, 'yaml', /more than 100000 lines, commas and colons/],
    ['a million empty lines', fill('\n', 1000 * K), 'yaml', /more than 100000 lines, commas and colons/],
    ['a hundred thousand anchors', fill('&a ', 250 * K), 'yaml', /anchor/],
    ['more YAML than any spec has', fill('# x\n', 2000 * K), 'yaml', /characters of YAML, 1048576 at most/],
    ['open brackets in JSON', fill('[', 20_000 * K), 'json', /nested more than 64/],
    ['open braces in JSON', fill('{"a":', 20_000 * K), 'json', /nested more than 64/],
    ['a name of 20 MB', JSON.stringify(spec(['x'.repeat(20_000 * K)])), 'json', /characters, 4096 at most/],
    ['a number of 1 MB', `{"cdiVersion":${fill('1', 1000 * K)}}`, 'json', /number too long/],
  ])('%s', (_, text, format, reason) => {
    const start = process.cpuUsage();
    let message = '';
    try {
      parseCdiSpec(text, format);
    } catch (error) {
      expect(error).toBeInstanceOf(CdiError);
      message = (error as Error).message;
    }
    expect(message).toMatch(reason);
    expect(message.length).toBeLessThan(1000);
    expect(milliseconds(start)).toBeLessThan(4000);
  });

  it('a file of 100 MB is not even read', () => {
    const file = put(directory(), 'big.json', '{"kind": "');
    truncateSync(file, 100_000_000);
    const start = process.cpuUsage();
    expect(() => readCdiSpec(file)).toThrow('100000000 bytes, 33554432 at most');
    expect(milliseconds(start)).toBeLessThan(500);
  });

  it('a fifo does not make the reader wait', () => {
    const file = path.join(directory(), 'pipe.json');
    execFileSync('mkfifo', [file]);
    expect(() => readCdiSpec(file)).toThrow('not a regular file');
  });
});

describe('no text brings the reader down', () => {
  const fragments = [
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    "'",
    '\\',
    '\n',
    ' ',
    '\t',
    '- ',
    '? ',
    '&a ',
    '*a',
    '!!int',
    '<<',
    '|',
    '>',
    '#',
    '---',
    '%',
    '0600',
    'y',
    '~',
    'devices',
    'kind',
    '"kind":',
    '\u0000',
    '\ufeff',
    '\u2028',
    'é',
  ];
  const noise = fc
    .array(fc.oneof(fc.constantFrom(...fragments), fc.string({ maxLength: 4 })), { maxLength: 60 })
    .map((parts) => parts.join(''));

  it.each(['json', 'yaml'] as const)('made of pieces of %s', (format) => {
    fc.assert(
      fc.property(noise, (text) => {
        expectCdiError(() => parseCdiSpec(text, format));
      }),
      { numRuns: 500 },
    );
  });

  it('made by changing a good one', () => {
    const good = JSON.stringify(
      spec(
        { d: { env: ['A=1'], deviceNodes: [{ path: '/d', type: 'c', major: 1 }] } },
        { containerEdits: { mounts: [{ hostPath: '/a', containerPath: '/b' }] } },
      ),
    );
    const change = fc.tuple(fc.nat(good.length), fc.nat(5), fc.oneof(fc.constantFrom(...fragments), fc.constant('')));
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('json' as const, 'yaml' as const),
        (changes, format) => {
          const text = changes.reduce(
            (before, [at, removed, added]) => before.slice(0, at) + added + before.slice(at + removed),
            good,
          );
          expectCdiError(() => parseCdiSpec(text, format));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('made of random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectCdiError(() => parseCdiSpec(bytes, 'json'));
      }),
    );
  });
});

/** Processor time since then: other work on the machine does not count. */
function milliseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Success is fine; so is an error of ours. */
function expectCdiError(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(CdiError);
  }
}
