import { Command, CommanderError } from 'commander';
import { TtrpcError } from '../errors.ts';
import { ADDRESS_FORMS, parseAddress } from '../transport/address.ts';
import { type CallFlags, call } from './call.ts';
import { bashCompletion } from './completion.ts';
import type { DescriptorSources } from './descriptors.ts';
import type { Io } from './io.ts';
import { serve } from './serve.ts';
import { trace } from './trace.ts';
import { UsageError } from './usage.ts';

const EXAMPLES = `
An ADDRESS is ${ADDRESS_FORMS}.

Examples:
  ttrpc serve unix:///tmp/echo.sock
  ttrpc call unix:///tmp/echo.sock ttrpc.test.v1.Echo/Unary '{"text": "hello"}'
  ttrpc call unix:///tmp/echo.sock ttrpc.test.v1.Echo/Bidi - < messages.json
  ttrpc call --proto agent.proto --timeout 5s vsock://3:1024 grpc.Health/Check
  ttrpc trace unix:///tmp/traced.sock unix:///tmp/echo.sock`;

/**
 * The `ttrpc` command.
 * @returns exit status: 0 done, 1 the call or the connection failed, 2 called in a way that makes no sense
 */
export async function run(argv: readonly string[], io: Io): Promise<0 | 1 | 2> {
  try {
    await build(io).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof TtrpcError) {
      io.err(`ttrpc: ${error.codeName}: ${error.message}\n`);
      return 1;
    }
    io.err(`ttrpc: ${(error as Error).message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function build(io: Io): Command {
  const program = new Command('ttrpc')
    .description('Calls, serves and traces ttrpc, the RPC of containerd, Kata and NRI.')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err });

  withDescriptors(program.command('call'))
    .summary('call a method')
    .description('Calls a method with JSON messages and prints each reply as a line of JSON.')
    .argument('<address>', 'where the server listens', checkedAddress)
    .argument('<method>', 'package.Service/Method')
    .argument('[input]', 'JSON of the request, @file, or - for standard input; a stream takes several objects')
    .option('-H, --header <key: value>', 'metadata; may be repeated', collect, [])
    .option('-t, --timeout <duration>', 'how long to wait, like 500ms or 5s (default: for ever)')
    .action((address: string, method: string, input: string | undefined, flags: CallFlags) =>
      call(address, method, input, flags, io),
    );

  program
    .command('serve')
    .summary('serve the echo service ttrpc.test.v1.Echo')
    .description('Serves ttrpc.test.v1.Echo until it is interrupted: something to call and to test clients with.')
    .argument('<address>', 'where to listen', checkedAddress)
    .action((address: string) => serve(address, io));

  withDescriptors(program.command('trace'))
    .summary('print the frames of live connections')
    .description('Listens, passes each connection on byte for byte, and prints every frame, decoded when it can.')
    .argument('<listen>', 'address for clients', checkedAddress)
    .argument('<connect>', 'address of the server', checkedAddress)
    .action((from: string, to: string, flags: DescriptorSources) => trace(from, to, flags, io));

  program
    .command('completion')
    .summary('print a completion script for bash')
    .action(() => io.out(bashCompletion(program)));
  return program;
}

function withDescriptors(command: Command): Command {
  return command
    .option('-p, --proto <file>', '.proto file with the service; may be repeated', collect, [])
    .option('-I, --import-path <folder>', 'where its imports are; may be repeated', collect, [])
    .option('-d, --descriptors <file>', 'encoded FileDescriptorSet; may be repeated', collect, []);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function checkedAddress(text: string): string {
  try {
    parseAddress(text);
    return text;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
