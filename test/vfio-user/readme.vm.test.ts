import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Running } from '../support/command.ts';
import { processesOf } from '../support/leftovers.ts';
import { build, root } from '../support/paths.ts';
import { Terminal } from '../support/terminal.ts';

const readme = readFileSync(path.join(root, 'vfio-user/README.md'), 'utf8');
const blocks = (language: string) =>
  [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, name]) => name === language).map((match) => match[2]!);
const [device] = blocks('ts');
/** The commands of the five minutes and of doing it by hand, in the README's words and order. */
const [tryIt, inGuest, serve, boot] = blocks('sh');
const promised = /`(info: the guest wrote \d+)`/.exec(readme)![1]!;
const PROMPT = 'guest# ';
const CTRL_C = '\x03';

/** A folder with the reader's device file, and of the clone what the commands name. */
let folder: string;
/** What a test starts is found again by this. */
let env: NodeJS.ProcessEnv;
/** All that is changed of a command: other runs of this test must not meet at the same socket. */
const ownSocket = (command: string) => command.replaceAll('/tmp/my-device.sock', path.join(folder, 'my-device.sock'));

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'km-readme-'));
  env = { ...process.env, TMPDIR: folder, KATA_MOCK_RUN_DIR: folder };
  for (const name of ['build', 'node_modules', 'package.json', 'tools']) {
    symlinkSync(path.join(root, name), path.join(folder, name));
  }
  // Whether KVM works is known already: finding that it does not takes 10 s.
  const probe = path.join(build, 'kvm-probe.json');
  if (existsSync(probe)) copyFileSync(probe, path.join(folder, 'kvm-probe.json'));
  writeFileSync(path.join(folder, 'my-device.ts'), device!);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  const left = readdirSync(folder).filter((name) => /^try-device-|sock$/.test(name));
  expect([...processesOf(folder), ...left], 'what ended runs leave').toEqual([]);
});

// The shell outlives Ctrl-C, as an interactive one does.
const open = (command: string) => new Terminal('sh', ['-c', `cd ${folder} && trap : INT; ${command}`], { env });

/** Types commands at the guest's prompt, each when the one before has ended. */
async function type(screen: Terminal, commands: string): Promise<void> {
  const ended = screen.ended.then((status) => {
    throw new Error(`ended with status ${status}:\n${screen.output}`);
  });
  ended.catch(() => {});
  for (const [index, command] of commands.trim().split('\n').entries()) {
    const prompts = () => screen.output.split(PROMPT).length - 1;
    await Promise.race([ended, expect.poll(prompts, { timeout: 60_000 }).toBe(index + 1)]);
    screen.type(`${command}\r`);
  }
}

test("the README's one command serves its device to a guest, whose commands reach it, and poweroff ends all", async () => {
  const screen = open(tryIt!);
  try {
    await type(screen, inGuest!);
    await screen.shows(promised);
    screen.type('devmem $bar 32; poweroff\r');
    expect(await screen.ended).toBe(0);
    expect(screen.output).toContain('0x0000002A');
  } finally {
    screen.close();
  }
});

test("the README's two commands do the same by hand, are those of --dry-run, and Ctrl-C ends both", async () => {
  const dry = spawnSync('npm', ['run', '--silent', 'try', '--', '--dry-run', 'my-device.ts'], {
    cwd: root,
    env: { ...env, INIT_CWD: root },
    encoding: 'utf8',
  });
  const oneLine = (command: string) => command.replaceAll(/\\\n\s*/g, '');
  expect(dry.stdout.replace('-accel kvm', '-accel tcg')).toBe(serve! + oneLine(boot!));

  const server = new Running('sh', ['-c', ownSocket(serve!)], { cwd: folder, env });
  await server.until('the socket', () => server.stderr.includes('info: listening on'));
  const screen = open(ownSocket(boot!));
  try {
    await type(screen, inGuest!);
    await server.until(promised, () => server.stderr.includes(promised));
    screen.type(CTRL_C);
    expect(await screen.ended).toBe(0);
    expect((await server.ended).status).toBe(0);
  } finally {
    screen.close();
  }
});

test('Ctrl-C ends a guest whose device never answers', async () => {
  const hanging = device!.replace(/device\.log\(.*?\)(?= \})/, "{ device.log('hangs'); for (;;); }");
  expect(hanging).not.toBe(device);
  writeFileSync(path.join(folder, 'hangs.ts'), hanging);
  const screen = open(tryIt!.replace('my-device', 'hangs'));
  try {
    await type(screen, inGuest!);
    await screen.shows('info: hangs');
    screen.type(CTRL_C);
    expect(await screen.ended).toBe(0);
  } finally {
    screen.close();
  }
});
