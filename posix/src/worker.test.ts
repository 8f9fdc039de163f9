import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startWorker, workerUrl } from './worker.ts';

describe('workerUrl', () => {
  it('names the TypeScript file beside a source, the CommonJS file of a bundle, the JavaScript file otherwise', () => {
    expect(workerUrl('file:///a/b.ts', 'serve').href).toBe('file:///a/serve.worker.ts');
    expect(workerUrl('file:///dist/x/main.js', 'serve').href).toBe('file:///dist/x/serve.worker.js');
    const directory = mkdtempSync(path.join(tmpdir(), 'posix-worker-'));
    writeFileSync(path.join(directory, 'serve.worker.cjs'), '');
    const main = pathToFileURL(path.join(directory, 'main.js')).href;
    expect(workerUrl(main, 'serve').pathname).toBe(path.join(directory, 'serve.worker.cjs'));
    rmSync(directory, { recursive: true });
  });
});

describe('startWorker', () => {
  it('runs a TypeScript source with its data', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'posix-worker-'));
    try {
      writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
      writeFileSync(
        path.join(directory, 'double.worker.ts'),
        `import { parentPort, workerData } from 'node:worker_threads';
         parentPort!.postMessage((workerData as number) * 2);`,
      );
      const url = workerUrl(pathToFileURL(path.join(directory, 'main.ts')).href, 'double');
      const worker = startWorker(url, { workerData: 21 });
      expect(await once(worker, 'message')).toEqual([42]);
      await worker.terminate();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
