import { closeSync, openSync } from 'node:fs';
import { closeAll, FdDuplex, pipe } from '@kata-mock/posix';
import { ProcessIo } from '../sandbox/process-io.ts';
import { ConsoleSocket } from './console-socket.ts';

/** Standard input and output for a process that runc is about to make. */
export interface PreparedStdio {
  /** For runc's own 0, 1 and 2, which the process inherits when it has no terminal. */
  readonly descriptors: readonly [number, number, number];
  /** More arguments of `runc create` or `runc exec`. */
  readonly args: readonly string[];
  /** After runc has succeeded: the agent's ends. */
  connect(): ProcessIo;
  /** Closes what the agent holds for the process's side; call it in every case, after runc has ended. */
  release(): void;
}

export function prepareStdio(directory: string, terminal: boolean): PreparedStdio {
  return terminal ? prepareTerminal(directory) : preparePipes();
}

type Pipe = ReturnType<typeof pipe>;

/**
 * Real pipes. Node's own child pipes are sockets, and a process that opens `/dev/stdout` on a socket gets ENXIO, which
 * breaks common images.
 */
function preparePipes(): PreparedStdio {
  const pipes: Pipe[] = [];
  try {
    for (let count = 0; count < 3; count++) pipes.push(pipe());
  } catch (error) {
    closeAll(pipes.flatMap((pipe) => [pipe.read, pipe.write]));
    throw error;
  }
  const [stdin, stdout, stderr] = pipes as [Pipe, Pipe, Pipe];
  let connected = false;
  return {
    descriptors: [stdin.read, stdout.write, stderr.write],
    args: [],
    connect: () => {
      connected = true;
      const [input, output, errors] = [stdin.write, stdout.read, stderr.read].map((fd) => new FdDuplex(fd));
      return new ProcessIo({ stdin: input as FdDuplex, stdout: output as FdDuplex, stderr: errors });
    },
    release: () => {
      closeAll([stdin.read, stdout.write, stderr.write]);
      if (!connected) closeAll([stdin.write, stdout.read, stderr.read]);
    },
  };
}

function prepareTerminal(directory: string): PreparedStdio {
  const socket = new ConsoleSocket(directory);
  const nothing = openSync('/dev/null', 'r+');
  return {
    descriptors: [nothing, nothing, nothing],
    args: ['--console-socket', socket.path],
    connect: () => {
      const master = socket.receive();
      const stream = new FdDuplex(master);
      return new ProcessIo({ stdin: stream, stdout: stream, terminal: master });
    },
    release: () => {
      socket.close();
      closeSync(nothing);
    },
  };
}
