import { beforeAll, describe, expect, it } from 'vitest';
import { noDevices } from '../support/devices.ts';
import { type SandboxUnderTest, testHost } from '../support/host.ts';
import { program } from '../support/paths.ts';
import { Terminal } from '../support/terminal.ts';

const scope = testHost();
let sandbox: SandboxUnderTest;

beforeAll(async () => {
  sandbox = await scope.host.sandbox('tty', noDevices);
});

const open = (args: string[]) =>
  new Terminal(program('kata-mock'), args, { env: scope.host.env, rows: 30, columns: 100 });

describe.each([
  ['run --sandbox', ['run', '--sandbox', 'tty', '-i', '-t', '--']],
  ['exec', ['exec', '-i', '-t', 'tty', '--']],
])('a terminal of %s', (_, args) => {
  it('has the size of ours, follows it, takes keys and answers the exit code', async () => {
    const terminal = open([
      ...args,
      'sh',
      '-c',
      'trap "stty size" WINCH; tty; stty size; echo ready; until [ "$line" = end ]; do read -r line && echo "<$line>"; done; exit 9',
    ]);
    try {
      await terminal.shows('ready');
      expect(terminal.output).toMatch(/\/dev\/(pts\/\d+|console)/);
      expect(terminal.output).toContain('30 100');
      terminal.resize(50, 132);
      terminal.type('typed\r');
      await terminal.shows('<typed>');
      terminal.type('more\r');
      await terminal.shows('50 132');
      terminal.type('end\r');
      expect(await terminal.ended).toBe(9);
    } finally {
      terminal.close();
    }
  });

  it('passes Ctrl-C to the program in the guest instead of ending ours', async () => {
    const terminal = open([
      ...args,
      'sh',
      '-c',
      'trap "echo caught" INT; echo ready; until [ -n "$line" ]; do read -r line; done; exit 4',
    ]);
    try {
      await terminal.shows('ready');
      terminal.type('\x03');
      await terminal.shows('caught');
      terminal.type('on\r');
      expect(await terminal.ended).toBe(4);
    } finally {
      terminal.close();
    }
  });
});

it('the sandbox is none the worse for it', async () => {
  expect((await sandbox.sh('echo alive')).stdout).toBe('alive\n');
  await sandbox.stop();
});
