import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { shellLine } from './commands.ts';

// Each test starts Node with the sources, on machines that do other work too.
vi.setConfig({ testTimeout: 60_000 });

/** A folder outside the clone, with a set-up whose QEMU is a script. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'km-try-'));
const put = (name: string, contents = '') => writeFileSync(path.join(folder, name), contents);
const fakeQemu = (script: string) => put('shell/qemu-system-x86_64', `#!/bin/sh\n${script}\n`);

beforeAll(() => {
  for (const name of ['shell', 'rootfs']) mkdirSync(path.join(folder, name));
  for (const name of ['qemu', 'virtiofsd', 'vmlinux', 'initrd', 'root', 'shell/vmlinux', 'shell/initrd.img']) put(name);
  fakeQemu('exit 0');
  for (const name of ['qemu', 'virtiofsd', 'shell/qemu-system-x86_64']) chmodSync(path.join(folder, name), 0o755);
  const made = { kernel: 'vmlinux', initrd: 'initrd', rootImage: 'root', rootfs: 'rootfs', hashes: {} };
  put(
    'artefacts.json',
    JSON.stringify({ version: 1, qemu: { path: 'qemu' }, virtiofsd: { path: 'virtiofsd' }, ...made }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the tool as the script of package.json does, called from that folder. */
async function run(args: string[], { artefacts = 'artefacts.json', until = '' } = {}) {
  const main = path.join(import.meta.dirname, '../try-device.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@kata-mock/source', main, ...args], {
    env: { ...process.env, INIT_CWD: folder, TMPDIR: folder, KATA_MOCK_ARTEFACTS: path.join(folder, artefacts) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
    if (until !== '' && stderr.includes(until)) child.kill();
  });
  const [stdout, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect(readdirSync(folder).filter((name) => name.startsWith('try-device-'))).toEqual([]);
  return { status: status as number | null, stdout, stderr };
}

const device = `import { pciDevice } from '@kata-mock/vfio-user';
export default pciDevice({ name: 'x', vendor: 1, device: 2, classCode: 0xff0000, registers: { 0: { size: 4096, registers: {} } } });
`;

test('--help explains on stdout, with an example', async () => {
  const { status, stdout } = await run(['--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('Example: npm run try -- vfio-user/examples/smallest.ts');
});

test.each([
  ['no file', [], 'give the file of a device'],
  ['an unknown accelerator', ['--accel', 'hvf', 'a.ts'], '"hvf" is none of auto, kvm, tcg'],
])('%s is wrong usage', async (_what, args, reason) => {
  const { status, stderr } = await run(args);
  expect(status).toBe(2);
  expect(stderr).toContain(reason);
  expect(stderr).toContain('--help shows how');
});

test.each([
  ['is not there', undefined, /there is no .*device\.ts/],
  ['is no TypeScript', 'export default {', /cannot be loaded[\s\S]*device\.ts:1:16/],
  ['imports what is not there', "import './nothing.ts';", /cannot be loaded[\s\S]*nothing\.ts/],
  ['exports no default', 'export const device = 1;', /no default export[\s\S]*export default pciDevice/],
  ['exports no device', 'export default 5;', /device\.ts has no device as its default export[\s\S]*is no device/],
  [
    'fails when it is loaded',
    "throw new Error('my mistake');\nexport default 5;",
    /my mistake[\s\S]*fails when it is loaded/,
  ],
])('a file that %s is refused with the reason', async (_what, source, reason) => {
  rmSync(path.join(folder, 'device.ts'), { force: true });
  if (source !== undefined) put('device.ts', source);
  const { status, stderr } = await run(['--accel', 'tcg', 'device.ts']);
  expect(stderr).toMatch(reason);
  expect(stderr).not.toContain('device.mjs');
  expect(status).toBe(1);
});

test('a clone without set-up is told how to get one', async () => {
  const { status, stderr } = await run(['device.ts'], { artefacts: 'none.json' });
  expect(status).toBe(1);
  expect(stderr).toContain('make setup');
});

test('a QEMU that fails is named, with its status', async () => {
  put('device.ts', device);
  fakeQemu('echo no such machine >&2; exit 3');
  const { status, stderr } = await run(['--accel', 'tcg', 'device.ts']);
  expect(stderr).toMatch(/no such machine[\s\S]*QEMU ended with status 3/);
  expect(status).toBe(1);
});

test('a signal ends the guest and the device, and is no failure', async () => {
  put('device.ts', device);
  fakeQemu('echo up >&2; exec sleep 1000');
  expect(await run(['--accel', 'tcg', 'device.ts'], { until: 'up\n' })).toMatchObject({ status: 0 });
});

test('a signal ends a device file that never ends loading', async () => {
  put('device.ts', 'for (;;);\nexport default 5;');
  const { status, stderr } = await run(['--accel', 'tcg', 'device.ts'], { until: 'still being loaded' });
  expect(status).toBe(0);
  expect(stderr).not.toContain('is no device');
});

test('a device that ends takes the guest with it, and that is a failure', async () => {
  put('device.ts', device);
  // A client that leaves ends the device, while this QEMU stays.
  const leave = 'require("net").connect(JSON.parse(process.argv[1]).socket.path).end(); setTimeout(() => {}, 1e6)';
  fakeQemu(`for last; do :; done; exec node -e '${leave}' "$last"`);
  const { status, stderr } = await run(['--accel', 'tcg', 'device.ts']);
  expect(stderr).toContain('the device ended');
  expect(status).toBe(1);
});

test('--dry-run prints two commands, and says when the first wants the file elsewhere', async () => {
  const { status, stdout, stderr } = await run(['--accel', 'tcg', '--dry-run', 'device.ts']);
  expect(status).toBe(0);
  const [serve, boot] = stdout.trimEnd().split('\n');
  expect(serve).toBe(`npx tsx --conditions=@kata-mock/source ${path.join(folder, 'device.ts')} /tmp/device.sock`);
  expect(boot).toContain(' -accel tcg ');
  expect(stderr).toContain('inside the clone');
});

test('a command line is quoted for a shell', () => {
  expect(shellLine(['a', '-x=1,b', 'two words', "it's", '{"a":1}'])).toBe(`a -x=1,b 'two words' 'it'\\''s' '{"a":1}'`);
});
