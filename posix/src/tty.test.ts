import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { codeOf } from './testing.ts';
import { getWinsize, openPty, setWinsize } from './tty.ts';

describe('openPty', () => {
  it('makes a terminal whose slave shows the size set at the master', () => {
    const { master, slavePath } = openPty();
    const slave = openSync(slavePath, 'r+');
    setWinsize(master, 40, 132);
    expect(isatty(slave)).toBe(true);
    expect(getWinsize(slave)).toEqual({ rows: 40, columns: 132 });
    closeSync(slave);
    closeSync(master);
  });

  it('reports a descriptor that is no terminal', () => {
    const file = openSync('/dev/null', 'r');
    expect(codeOf(() => setWinsize(file, 1, 1))).toBe('ENOTTY');
    closeSync(file);
  });
});
