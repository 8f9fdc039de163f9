import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ContainerProcess } from './container-process.ts';
import { Execs } from './execs.ts';
import { ProcessIo } from './process-io.ts';

/** An exec that has ended and said its id. */
function ended(id: string): ContainerProcess {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  streams.stdout.end(id);
  streams.stderr.end();
  return new ContainerProcess(id, 1, new ProcessIo(streams), Promise.resolve(7));
}

async function many(count: number, use: (process: ContainerProcess) => Promise<void>): Promise<Execs> {
  const execs = new Execs();
  for (let index = 0; index < count; index++) {
    const process = ended(`e${index}`);
    execs.add(process);
    await process.wait();
    await use(process);
  }
  return execs;
}

const said = async (execs: Execs, id: string) => Buffer.from(await execs.get(id)!.io.readStdout(0)).toString();

describe('the execs of a container', () => {
  test('keep their output for a late reader; of more than 128 the oldest lose it, and keep their status', async () => {
    const execs = await many(200, async (process) => process.told());
    expect(await said(execs, 'e199')).toBe('e199');
    expect(await said(execs, 'e80')).toBe('e80');
    await expect(said(execs, 'e0')).rejects.toMatchObject({ code: 'END_OF_STREAM' });
    expect(execs.get('e0')?.status).toBe(7);
  });

  test('that nobody asks for are bounded all the same', async () => {
    const execs = await many(200, async () => {});
    await expect(said(execs, 'e0')).rejects.toMatchObject({ code: 'END_OF_STREAM' });
    expect(execs.get('e0')?.status).toBe(7);
  });

  test('are remembered by their status, the last 256 of them', async () => {
    const execs = await many(300, async (process) => {
      await process.io.readStdout(0);
      for (const read of ['readStdout', 'readStderr'] as const) await process.io[read](0).catch(() => {});
      process.told();
    });
    await expect.poll(() => execs.get('e0')).toBeUndefined();
    expect(execs.get('e299')?.status).toBe(7);
  });
});
