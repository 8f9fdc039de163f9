import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { ProcessCalls } from '../../agent-client/process-io.ts';
import { attachTerminal, type Terminal } from './terminal.ts';

function fake({ isTTY = true } = {}) {
  const log: string[] = [];
  const stdout = Object.assign(new EventEmitter(), { isTTY, rows: 24, columns: 80 });
  const stdin = { isTTY, setRawMode: (raw: boolean) => log.push(`raw ${raw}`) };
  const target = { resize: async (rows: number, columns: number) => void log.push(`resize ${rows}x${columns}`) };
  const terminal = { stdin, stdout } as unknown as Terminal;
  return { log, stdout, attach: () => attachTerminal(target as ProcessCalls, terminal) };
}

describe('attachTerminal', () => {
  it('gives the keys to the guest, keeps the sizes equal, and gives the terminal back', () => {
    const { log, stdout, attach } = fake();
    const { detach } = attach();
    stdout.rows = 50;
    stdout.emit('resize');
    detach();
    stdout.emit('resize');
    expect(log).toEqual(['raw true', 'resize 24x80', 'resize 50x80', 'raw false']);
  });

  it('does nothing without a terminal of our own', () => {
    const { log, attach } = fake({ isTTY: false });
    attach().detach();
    expect(log).toEqual([]);
  });
});
