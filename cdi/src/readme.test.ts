import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { expect, it, vi } from 'vitest';

const here = path.dirname(fileURLToPath(import.meta.url));

it('prints what the README says, from the code that the README shows', async () => {
  const readme = readFileSync(path.join(here, '../README.md'), 'utf8');
  const [, code = '', expected = ''] = /```ts\n(.*?)```\n\nprints\n\n```text\n(.*?)```/s.exec(readme) ?? [];
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
    printed.push(values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '));
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'cdi-readme-'));
  try {
    const file = path.join(folder, 'example.ts');
    writeFileSync(file, code.replace('/tmp/', `${folder}/`).replace("'cdi-spec'", `'${path.join(here, 'index.ts')}'`));
    await import(pathToFileURL(file).href);
  } finally {
    log.mockRestore();
    rmSync(folder, { recursive: true });
  }
  expect(code).not.toBe('');
  expect(`${printed.join('\n')}\n`).toBe(expected);
});
