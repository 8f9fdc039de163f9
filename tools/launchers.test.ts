import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const bin = path.resolve(import.meta.dirname, '../bin');
const place = mkdtempSync(path.join(tmpdir(), 'launchers-'));
cpSync(bin, path.join(place, 'bin'), { recursive: true });
afterAll(() => rmSync(place, { recursive: true }));

test.each(readdirSync(bin))('bin/%s runs its program, also through a link, and reads no certificates first', (name) => {
  const folder = path.join(place, 'dist', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'main.js'), 'console.log(process.argv.slice(2).join("|"))');
  const link = path.join(place, name);
  symlinkSync(path.join(place, 'bin', name), link);
  // Node says on stderr that it cannot read them.
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: path.join(place, 'none') };
  const output = execFileSync('sh', ['-c', '"$0" a "b c" 2>&1', link], { encoding: 'utf8', env });
  expect(output).toBe('a|b c\n');
});
