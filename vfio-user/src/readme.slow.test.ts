import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { Client } from './client/client.ts';
import { startHost } from './host/host.ts';
import { temporaryDirectory } from './testing.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(path.join(root, 'vfio-user/README.md'), 'utf8');

test("the README's device is the example file, and its command serves it", async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const example = readFileSync(path.join(root, 'vfio-user/examples/smallest.ts'), 'utf8');
  expect(example.replace(/^\/\*\*.*\*\/\n/, '')).toBe(code);

  const directory = temporaryDirectory();
  const socket = path.join(directory.path, 'd.sock');
  const command = /^npx (.+)$/m
    .exec(readme)![1]!
    .replace('/tmp/my-device.sock', socket)
    .replace('my-device.ts', 'vfio-user/examples/smallest.ts');
  const [, ...args] = command.split(' ');
  const server = spawn(process.execPath, [path.join(root, 'node_modules/tsx/dist/cli.mjs'), ...args], { cwd: root });
  const ended = once(server, 'exit');
  let output = '';
  server.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  await expect.poll(() => connects(socket), { timeout: 30_000, interval: 200 }).toBe(true);
  await expect.poll(() => output, { timeout: 5000 }).toContain('the guest wrote 42');
  const [status] = await ended;
  expect(status).toBe(0);
  directory.remove();
}, 60_000);

test("the README's host has the device's registers", async () => {
  const directory = temporaryDirectory();
  const hosting = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)][1]![1]!;
  const body = hosting.replace(/^import .*\n/, '').replace('/tmp/d0.sock', path.join(directory.path, 'd0.sock'));
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  const log = vi.fn();
  await new AsyncFunction('startHost', 'console', body)(startHost, { log });
  expect(log).toHaveBeenCalledExactlyOnceWith(
    expect.arrayContaining([expect.objectContaining({ name: 'MEMORY_SIZE' })]),
  );
  directory.remove();
});

/** Connects, writes to the register as a guest would, and leaves. */
function connects(socket: string): boolean {
  try {
    const client = Client.connect(socket);
    client.write32(0, 0, 42);
    client.close();
    return true;
  } catch {
    return false;
  }
}
