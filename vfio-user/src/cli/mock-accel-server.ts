/** `mock-accel-server`: one mock-accel function on one socket, until its client leaves. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { VfioUserError } from '../errors.ts';
import { startHost } from '../host/host.ts';
import { MAX_VFS } from '../mock-accel/gen/registers.ts';
import { type MockAccelOptions, parseSize, resolveOptions } from '../mock-accel/options.ts';

interface Flags {
  verbose?: boolean;
  uuid: string;
  size?: bigint;
  vf?: boolean;
  vfIndex?: number;
  totalVfs: number;
}

const integer = (max: number) => (text: string) => {
  if (!/^\d+$/.test(text) || Number(text) > max) throw new InvalidArgumentError(`give a number of 0..${max}`);
  return Number(text);
};

const program = new Command('mock-accel-server')
  .description('Serves one mock accelerator over vfio-user. Waits for a client, serves it, and exits when it leaves.')
  .argument('<socket>', 'path of the socket to make')
  .option('-v, --verbose', 'log what happens to stderr')
  .option('-u, --uuid <uuid>', 'RFC 4122 UUID, or up to 16 ASCII characters', 'MOCK-0000-0001')
  .option('-m, --size <size>', 'device memory, with K, M or G (default: 16G, with --vf 2G)', size)
  .option('--vf', 'be a virtual function')
  .option('--vf-index <n>', 'which virtual function', integer(MAX_VFS - 1))
  .option('--total-vfs <n>', `virtual functions of a physical function, at most ${MAX_VFS}`, integer(MAX_VFS), 4)
  .addHelpText('after', '\nExample:\n  mock-accel-server -v -u MOCK-NUMA0-0001 -m 16G /tmp/mock0.sock')
  .exitOverride();

function size(text: string): bigint {
  try {
    return parseSize('size', text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

async function main(): Promise<number> {
  program.parse();
  const flags = program.opts<Flags>();
  const options: MockAccelOptions = {
    uuid: flags.uuid,
    memorySize: flags.size,
    vf: flags.vf ?? false,
    vfIndex: flags.vfIndex,
    totalVfs: flags.vf ? 0 : flags.totalVfs,
  };
  if (flags.size === undefined) delete options.memorySize;
  resolveOptions(options);
  const socketPath = program.args[0]!;
  const host = await startHost({ functions: [{ id: 'd0', socketPath, model: 'mock-accel', options: { ...options } }] });
  const say = (text: string) => flags.verbose && process.stderr.write(`mock-accel-server: ${text}\n`);
  host.on('connected', () => say('client connected'));
  host.on('disconnected', () => say('client left'));
  let failed = false;
  host.on('log', ({ level, message, fields }) => {
    if (level === 'error') failed = true;
    if (level === 'error' || flags.verbose)
      process.stderr.write(`mock-accel-server: ${level}: ${message} ${JSON.stringify(fields)}\n`);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void host.stop());
  say(`listening on ${socketPath}`);
  await host.closed;
  return failed ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`mock-accel-server: ${(error as Error).message}\n`);
    process.exitCode = error instanceof VfioUserError && error.code === 'INVALID_OPTION' ? 2 : 1;
  }
}
