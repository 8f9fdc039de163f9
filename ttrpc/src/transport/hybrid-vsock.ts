import type { Socket } from 'node:net';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';

/** Longest answer to CONNECT that makes sense: `OK 4294967295`. */
const MAX_ANSWER = 64;

/**
 * Asks a VMM's unix socket for a port of its guest: `CONNECT port`, answered by `OK local-port`. What follows the
 * answer's line end belongs to the connection. Rejects with UNAVAILABLE when the VMM says anything else.
 */
export function requestGuestPort(socket: Socket, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const done = (reason: string | undefined, cause?: Error) => {
      socket.off('data', onData);
      socket.off('error', onError);
      socket.off('close', onClose);
      if (reason === undefined) {
        resolve();
        return;
      }
      socket.destroy();
      reject(new TtrpcError(Code.UNAVAILABLE, `vsock port ${port} of the guest: ${reason}`, { cause }));
    };
    const onError = (error: Error) => done(error.message, error);
    const onClose = () =>
      done('the VMM closed the connection: nothing listens on the port, or the guest is not up yet');
    const onData = (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf(0x0a);
      if (end < 0 && answer.length <= MAX_ANSWER) return;
      const line = answer.subarray(0, end < 0 ? MAX_ANSWER : end).toString('latin1');
      if (end < 0 || !/^OK \d+\r?$/.test(line)) {
        done(`the VMM answered ${JSON.stringify(line)} to CONNECT`);
        return;
      }
      socket.pause();
      const rest = answer.subarray(end + 1);
      if (rest.length > 0) socket.unshift(rest);
      done(undefined);
    };
    socket.on('data', onData);
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.write(`CONNECT ${port}\n`);
  });
}

/** Where a VMM delivers connections that its guest makes to the host's `port`. */
export function hostSidePath(path: string, port: number): string {
  return `${path}_${port}`;
}
