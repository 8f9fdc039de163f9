import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('ends quietly when its reader has seen enough', { timeout: 30_000 }, async () => {
  const file = fileURLToPath(new URL('./main.ts', import.meta.url));
  const options = ['--import', import.meta.resolve('tsx'), '--conditions=@kata-mock/source'];
  const child = spawn(process.execPath, [...options, file, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  child.stdout.destroy();
  expect(await text(child.stderr)).toBe('');
  expect(await ended).toEqual([null, 'SIGTERM']);
});
