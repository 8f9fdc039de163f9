import net from 'node:net';
import readline from 'node:readline';

/** Sends one QMP command over a socket of QEMU's and returns its answer. */
export async function qmp(socketPath: string, execute: string, args: object = {}): Promise<unknown> {
  const socket = net.connect(socketPath);
  const lines = readline.createInterface({ input: socket })[Symbol.asyncIterator]();
  try {
    await lines.next(); // greeting
    for (const command of [{ execute: 'qmp_capabilities' }, { execute, arguments: args }]) {
      socket.write(`${JSON.stringify(command)}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error('QMP connection closed');
        const answer = JSON.parse(value) as { return?: unknown; error?: { desc: string }; event?: string };
        if (answer.event) continue;
        if (answer.error) throw new Error(answer.error.desc);
        if (command.execute === execute) return answer.return;
        break;
      }
    }
    return undefined;
  } finally {
    socket.destroy();
  }
}
