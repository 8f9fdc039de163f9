import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { capsOf } from '@kata-mock/posix';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { recordings, smallest } from '../argv/recordings.testing.ts';
import { listVmStates, pruneHook, vmDirectories } from '../state/index.ts';
import { vmOwner } from '../state/vm-directory.ts';
import { isAlive, type ProcessIdentity } from '../vm/process/identity.ts';
import {
  filesBelow,
  type Harness,
  makeHarness,
  type Started,
  type StartOptions,
  startWrapper,
  until,
} from './harness.testing.ts';

let harness: Harness;
const started: Started[] = [];
beforeAll(async () => {
  harness = await makeHarness();
});
afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  for (const { ended, runDirectory } of started.splice(0)) {
    await ended;
    await until(() => hosts(runDirectory).every((owner) => !isAlive(owner)));
  }
});
afterAll(() => harness.remove());

const start = (options: StartOptions) => {
  const made = startWrapper(harness, options);
  started.push(made);
  return made;
};
const withDevices = (devices: string, more: Partial<StartOptions> = {}) =>
  start({ args: smallest, annotations: { 'io.kata-mock/devices': devices }, ...more });
const hosts = (runDirectory: string): ProcessIdentity[] =>
  vmDirectories(runDirectory).flatMap((directory) => vmOwner(directory) ?? []);
const hostOf = (runDirectory: string) => hosts(runDirectory)[0] as ProcessIdentity;
const nothingLeft = ({ runDirectory }: Started) => until(() => filesBelow(runDirectory).length === 0);
/** Connects to every device socket, as QEMU does. */
const connectAll = async ({ runDirectory }: Started) => {
  const paths = listVmStates(runDirectory).flatMap(({ functions }) => functions.map(({ socketPath }) => socketPath));
  return Promise.all(
    paths.map(
      (socketPath) =>
        new Promise<net.Socket>((resolve, reject) => {
          const socket = net.connect(socketPath);
          socket.once('connect', () => resolve(socket)).on('error', reject);
        }),
    ),
  );
};

describe('an argument list that starts no sandbox', () => {
  test.each([[['--version']], [['-device', 'help']], [['-name', 'x', '-machine', 'q35']], [[]]])(
    '%j goes straight through, exit code included',
    async (args) => {
      const run = start({ args, env: { KATA_MOCK_FAKE_EXIT: '7' } });
      expect((await run.seen).args).toEqual(args);
      expect(await run.ended).toEqual({ code: 7, signal: null, stderr: '' });
      expect(filesBelow(run.runDirectory)).toEqual([]);
    },
  );
});

describe('the wrapper', () => {
  test('finds the hook also when it is called by a link', async () => {
    const link = path.join(harness.tree, 'linked-qemu');
    symlinkSync(harness.wrapper, link);
    const run = startWrapper({ ...harness, wrapper: link }, { args: ['--version'] });
    started.push(run);
    expect((await run.seen).args).toEqual(['--version']);
  });

  test('says what to do when the hook has not been built', async () => {
    const wrapper = path.join(harness.tree, 'alone', 'bin', 'wrapper', 'kata-mock-qemu');
    mkdirSync(path.dirname(wrapper), { recursive: true });
    copyFileSync(harness.wrapper, wrapper);
    const run = startWrapper({ ...harness, wrapper }, { args: ['--version'] });
    started.push(run);
    expect(await run.ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("run 'make build' in the clone"),
    });
  });
});

describe('a sandbox without devices', () => {
  test('gets the same QEMU, and leaves no trace', async () => {
    const run = start({ args: smallest });
    expect((await run.seen).args).toEqual(smallest);
    expect(filesBelow(run.runDirectory)).toEqual([]);
    run.child.stdin?.end();
    expect(await run.ended).toEqual({ code: 0, signal: null, stderr: '' });
  });

  test('gets the root image all the same', async () => {
    const { args } = await start({ args: smallest, env: { KATA_MOCK_ROOT_IMAGE: '/images/root.img' } }).seen;
    expect(args.slice(0, smallest.length)).toEqual(smallest);
    expect(args.slice(smallest.length)).toHaveLength(4);
    expect(args.at(-1)).toContain('serial=kata-mock-root');
  });
});

describe('settings of the VM', () => {
  test("come after everything else, so that they win over Kata's own", async () => {
    const config = '[vm]\naccel = "tcg"\ncpu = "max"';
    const wanted = ['-machine', 'accel=tcg', '-cpu', 'max'];
    for (const devices of ['none', '1']) {
      const { args } = await withDevices(devices, { config }).seen;
      expect(args.slice(0, smallest.length)).toEqual(smallest);
      expect(args.slice(-4)).toEqual(wanted);
    }
  });
});

describe('a sandbox with devices', () => {
  test.each(recordings)("has Kata's list first, byte for byte: $name", async ({ argv }) => {
    const { args } = await withDevices('numa=0;numa=1;mock-accel', { args: argv }).seen;
    expect(args.slice(0, argv.length)).toEqual(argv);
    expect(args.filter((arg) => arg.includes('vfio-user-pci'))).toHaveLength(3);
  });

  test('leaves arguments alone that a shell would change', async () => {
    const odd = [
      '$(touch /tmp/x)',
      '`id`',
      '*',
      'a b',
      ' lead',
      "it's",
      '"',
      '\\n',
      'two\nlines',
      '',
      '~',
      '$HOME',
      '-e',
    ];
    const { args } = await withDevices('1', { args: [...smallest, ...odd] }).seen;
    expect(args.slice(0, smallest.length + odd.length)).toEqual([...smallest, ...odd]);
  });

  test('has its descriptors in QEMU under their numbers, and nowhere else', async () => {
    const names = [3, 4, 16, 21, 40];
    const files = names.map((name) => path.join(harness.tree, `fd-${name}`));
    const opened = files.map((file) => openSync(file, 'w'));
    const run = withDevices('8', { fds: Object.fromEntries(names.map((name, index) => [name, opened[index] ?? -1])) });
    for (const fd of opened) closeSync(fd);
    const { pid: qemu } = await run.seen;
    const script = path.join(harness.tree, 'qemu');
    // What this test's own parents left open goes to every child.
    const others = [script, ...Object.values(descriptorsOf(process.pid))];
    const found = Object.entries(descriptorsOf(qemu)).filter(
      ([fd, target]) => Number(fd) > 2 && !others.includes(target),
    );
    expect(found).toEqual(names.map((name, index) => [String(name), files[index]]));

    const { pid } = hostOf(run.runDirectory);
    const targets = Object.values(descriptorsOf(pid));
    expect(targets.filter((target) => files.includes(target))).toEqual([]);
    expect(targets.some((target) => target.startsWith('socket:'))).toBe(true);
    const [guard] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    // Beside its standard ones the guard has its script.
    const ofGuard = Object.entries(descriptorsOf(guard ?? 0)).filter(([fd]) => Number(fd) > 2);
    expect(ofGuard.map(([, target]) => path.basename(target))).toEqual(['kata-mock-guard']);
  });

  test("has a device host that holds neither the shim's standard error nor its directory nor its session", async () => {
    const run = withDevices('2');
    const { pid } = await run.seen;
    const host = hostOf(run.runDirectory);
    await serving(run);
    expect(linkOf(`/proc/${host.pid}/fd/1`)).toBe('/dev/null');
    expect(linkOf(`/proc/${pid}/fd/2`)).toMatch(/^(pipe|socket):/);
    expect(linkOf(`/proc/${host.pid}/cwd`)).toBe('/');
    const sessionOf = (process: number) =>
      readFileSync(`/proc/${process}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[3];
    expect(sessionOf(host.pid)).toBe(String(host.pid));
    expect(sessionOf(pid)).not.toBe(String(host.pid));
  });

  test('has a device host without privileges', async () => {
    const run = withDevices('2');
    await run.seen;
    const { pid } = hostOf(run.runDirectory);
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) console.log('not root: that the user changes is not seen here');
    await serving(run);
    const rights = capsOf(pid);
    expect(rights).toMatchObject({ permitted: 0n, effective: 0n, inheritable: 0n, ambient: 0n, noNewPrivs: true });
    expect(rights.groups).toEqual(isRoot ? [] : rights.groups);
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    }
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0 /m);
  });

  test('is described in a state file while it runs', async () => {
    const run = withDevices('numa=0,host=0000:1a:00.0;numa=1', { env: { KATA_MOCK_ON_DEVICE_LOSS: 'stop' } });
    const { pid } = await run.seen;
    const [state] = listVmStates(run.runDirectory);
    expect(state).toMatchObject({
      sandboxId: 'k3',
      bundle: run.bundle,
      onDeviceLoss: 'stop',
      source: 'annotation io.kata-mock/devices',
      leases: ['ac00:00:00.0'],
      inventory: {
        devices: [
          { hostAddress: '0000:1a:00.0', numaNode: 0 },
          { hostAddress: 'ac00:00:00.0', numaNode: 1 },
        ],
      },
    });
    expect(state?.qemu.pid).toBe(pid);
  });
});

describe('the end of a VM', () => {
  test('takes the device host and its files with it', async () => {
    const run = withDevices('2');
    await run.seen;
    const clients = await connectAll(run);
    const host = hostOf(run.runDirectory);
    for (const client of clients) client.destroy();
    await nothingLeft(run);
    expect(isAlive(host)).toBe(false);
  });

  test('does so too when QEMU ends before it has connected', async () => {
    const run = withDevices('2');
    await run.seen;
    const host = hostOf(run.runDirectory);
    run.child.kill('SIGKILL');
    await nothingLeft(run);
    expect(isAlive(host)).toBe(false);
  });

  test('makes room at once for a VM of the same sandbox', async () => {
    const first = withDevices('2');
    await first.seen;
    first.child.kill('SIGKILL');
    await first.ended;
    const second = withDevices('2', { env: { KATA_MOCK_RUN_DIR: first.runDirectory } });
    await second.seen;
    expect(await connectAll(first)).toHaveLength(2);
  });

  test('follows the end of the device host when onDeviceLoss is stop, however that came', async () => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const run = withDevices('2', { config: 'onDeviceLoss = "stop"' });
      await run.seen;
      await connectAll(run);
      await serving(run);
      process.kill(hostOf(run.runDirectory).pid, signal);
      expect(await run.ended).toMatchObject({ signal: 'SIGKILL' });
      await nothingLeft(run);
    }
  });

  test('follows the end of a device host that has not come to serve', async () => {
    const run = withDevices('2', { config: 'onDeviceLoss = "stop"' });
    await run.seen;
    process.kill(hostOf(run.runDirectory).pid, 'SIGKILL');
    expect(await run.ended).toMatchObject({ signal: 'SIGKILL' });
    await nothingLeft(run);
  });

  test('does not follow it when onDeviceLoss is keep; prune cleans up then', async () => {
    const run = withDevices('1');
    const { pid } = await run.seen;
    await connectAll(run);
    await serving(run);
    const host = hostOf(run.runDirectory);
    process.kill(host.pid, 'SIGKILL');
    await until(() => !isAlive(host));
    expect(isAlive({ pid, startTime: listVmStates(run.runDirectory)[0]?.qemu.startTime ?? '' })).toBe(true);
    expect(await pruneHook(run.runDirectory)).toHaveLength(2);
    expect(filesBelow(run.runDirectory)).toEqual([]);
  });
});

describe('a failure', () => {
  const outcome = async (run: Started) => {
    const { code, stderr } = await run.ended;
    expect(filesBelow(run.runDirectory)).toEqual([]);
    expect(filesBelow(path.dirname(run.runDirectory)).some((file) => file.endsWith('/seen'))).toBe(false);
    return { code, stderr };
  };

  test.each([
    ['300', 'over the limit maxDevices = 32'],
    ['memory=1T', 'over the limit maxMemory = "512G"'],
    ['path=/etc/passwd', 'over the limit containerPaths = ["/dev/mock*"]'],
    ['path=/dev/../etc/passwd', 'has a part "", "." or ".."'],
    ['h100', 'over the limit models = ["mock-accel"]'],
    ['uuid=MOCK-1;uuid=MOCK-1', 'devices 0 and 1 have the same UUID'],
  ])('for the devices %j starts no VM, says why and leaves nothing', async (devices, reason) => {
    const { code, stderr } = await outcome(withDevices(devices));
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
  });

  test('of the hook itself ends the wrapper', async () => {
    const dying = path.join(harness.tree, 'dying-node');
    writeFileSync(dying, '#!/bin/sh\necho /bin/true\nkill -KILL $$\n', { mode: 0o755 });
    const { code, stderr } = await outcome(withDevices('1', { env: { KATA_MOCK_NODE: dying } }));
    expect(code).toBe(1);
    expect(stderr).toContain('the VM is not started');
  });

  test.each([
    ['qemo = 1', {}, 'there is no key "qemo"'],
    ['', { KATA_MOCK_QEMU: '/nonexistent' }, 'QEMU "/nonexistent" is not a program'],
    ['user = "nobody-at-all"', {}, 'user "nobody-at-all" does not exist'],
  ])('of the settings %j %j is told', async (config, env, reason) => {
    const { code, stderr } = await outcome(withDevices('1', { config, env }));
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
  });

  test('comes of a second VM for the same sandbox, and harms the first in nothing', async () => {
    const first = withDevices('1');
    await first.seen;
    const second = withDevices('1', { env: { KATA_MOCK_RUN_DIR: first.runDirectory } });
    expect(await second.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('has a device host already') });
    expect(await connectAll(first)).toHaveLength(1);
  });
});

/** Until the device host has given up its rights and says that it serves. */
async function serving({ runDirectory }: Started): Promise<void> {
  const log = path.join(vmDirectories(runDirectory)[0] ?? '', 'host.log');
  await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('"serving"'));
}

function descriptorsOf(pid: number): Record<string, string> {
  return Object.fromEntries(readdirSync(`/proc/${pid}/fd`).map((fd) => [fd, linkOf(`/proc/${pid}/fd/${fd}`)]));
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
