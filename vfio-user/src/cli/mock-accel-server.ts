/** `mock-accel-server`: one mock-accel function on one socket; `ctl`, `decode` and `replay` beside it. */
import { Command, InvalidArgumentError } from 'commander';
import { MAX_VFS } from '../mock-accel/gen/registers.ts';
import { parseSize } from '../mock-accel/options.ts';
import { ctlCommand } from './ctl.ts';
import { decodeCommand, replayCommand } from './recordings.ts';
import { run } from './run.ts';
import type { ServeFlags } from './serve.ts';

const integer = (max: number) => (text: string) => {
  if (!/^\d+$/.test(text) || Number(text) > max) throw new InvalidArgumentError(`give a number of 0..${max}`);
  return Number(text);
};

function size(text: string): bigint {
  try {
    return parseSize('size', text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

const program = new Command('mock-accel-server')
  .description('Serves one mock accelerator over vfio-user. Waits for a client, serves it, and exits when it leaves.')
  // Options after `ctl` or `replay` are theirs, also those that have the same names.
  .enablePositionalOptions()
  .argument('<socket>', 'path of the socket to make')
  .option('-v, --verbose', 'log what happens to stderr')
  .option('-u, --uuid <uuid>', 'RFC 4122 UUID, or up to 16 ASCII characters (default: MOCK-0000-0001)')
  .option('-m, --size <size>', 'device memory, with K, M or G (default: 16G, with --vf 2G)', size)
  .option('--vf', 'be a virtual function')
  .option('--vf-index <n>', 'which virtual function', integer(MAX_VFS - 1))
  .option(
    '--total-vfs <n>',
    `virtual functions of a physical function, at most ${MAX_VFS} (default: 4)`,
    integer(MAX_VFS),
  )
  .option('--profile <file>', 'options from a JSON file, reloaded when it changes')
  .option('--profile-name <name>', 'which profile of the file')
  .option('--control <path>', 'make a control socket there (see ctl)')
  .option('--faults <file>', 'set the faults of a JSON file from the start')
  .option('--trace <file>', 'record every message in a pcapng file')
  .option('--relisten', 'wait for the next client when one leaves')
  .option('--qmp <socket>', "QEMU's monitor: a removal fault that strikes unplugs the device by it")
  .option('--qdev <id>', "with --qmp: the device's id at QEMU (default: its only vfio-user device)")
  .option('--keep-state', 'with --relisten: keep the registers between clients')
  .addHelpText('after', '\nExample:\n  mock-accel-server -v -u MOCK-NUMA0-0001 -m 16G /tmp/mock0.sock')
  .action(async (socket: string, flags: ServeFlags) => {
    // Here and in the other commands: only what is used is loaded, so that the socket is there early.
    const { serve } = await import('./serve.ts');
    process.exitCode = await serve(socket, flags);
  })
  .addCommand(ctlCommand())
  .addCommand(decodeCommand())
  .addCommand(replayCommand());

void run(program);
