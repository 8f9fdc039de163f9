import { expect, it } from 'vitest';
import { renderTable } from './table.ts';

it('aligns columns and leaves no trailing blanks', () => {
  expect(
    renderTable(
      ['NAME', 'STATE'],
      [
        ['a-long-name', 'up'],
        ['b', ''],
      ],
    ),
  ).toBe('NAME         STATE\na-long-name  up\nb\n');
});

it('shows control characters instead of sending them to the terminal', () => {
  expect(renderTable(['NAME'], [['\u001b[2Jx']])).toContain('\\x1b[2Jx');
});
