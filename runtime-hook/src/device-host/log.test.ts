import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { LateLogger } from './device-host.ts';
import { fileLogger } from './log.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'kata-mock-log-'));
afterAll(() => rmSync(directory, { recursive: true }));
const logged = (name: string, format: 'json' | 'text', write: (log: ReturnType<typeof fileLogger>) => void) => {
  const file = path.join(directory, name);
  const fd = openSync(file, 'w');
  write(fileLogger(fd, { format, level: 'info' }, 'sandbox-1'));
  closeSync(fd);
  return file;
};

describe("a device host's log", () => {
  test('is JSON with sandbox and device as fields', () => {
    const file = logged('a', 'json', (log) => log.warn({ device: 'd0' }, 'hello'));
    const line = JSON.parse(readFileSync(file, 'utf8'));
    expect(line).toMatchObject({ level: 'warn', sandbox: 'sandbox-1', device: 'd0', msg: 'hello' });
    expect(new Date(line.time).getTime()).toBeGreaterThan(0);
  });

  test('is text for people', () => {
    const file = logged('b', 'text', (log) => {
      log.debug({}, 'not at this level');
      log.info({ device: 'd0', count: 3 }, 'hello');
    });
    expect(readFileSync(file, 'utf8')).toMatch(/^\S+Z info {2}hello sandbox=sandbox-1 device=d0 count=3\n$/);
  });

  test('ends at 16 MiB, whatever a guest does', () => {
    const text = 'x'.repeat(1 << 20);
    const file = logged('c', 'json', (log) => {
      for (let line = 0; line < 20; line++) log.info(text);
    });
    expect(statSync(file).size).toBeLessThan((16 << 20) + 100);
    expect(readFileSync(file, 'utf8').endsWith('the log is full\n')).toBe(true);
  });

  test('has what happened before it was there', () => {
    const early = new LateLogger();
    early.info({ device: 'd0' }, 'early');
    const file = logged('d', 'text', (log) => {
      early.attach(log);
      early.error({}, 'late');
    });
    expect(readFileSync(file, 'utf8').match(/early|late/g)).toEqual(['early', 'late']);
  });
});
