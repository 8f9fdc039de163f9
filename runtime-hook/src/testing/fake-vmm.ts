/**
 * Stands in for the hook's wrapper and QEMU in tests without a VM: takes the same arguments and descriptors, greets on
 * QMP, listens for console and agent, and runs a fake agent behind the virtio-serial port. FAKE_VMM (JSON) spoils it.
 */
import { appendFileSync } from 'node:fs';
import net from 'node:net';
import { fakeAgent } from './fake-agent.ts';

interface FakeVmm {
  /** Ends before the greeting, after printing this on stderr. */
  refuse?: string;
  /** Greets, but no agent ever answers. */
  silent?: boolean;
  console?: string;
  /** Makes an agent's call fail, by method name. */
  failures?: Record<string, string>;
  /** File that gets a line for each call to the agent. */
  calls?: string;
}

const spoil = JSON.parse(process.env['FAKE_VMM'] ?? '{}') as FakeVmm;
const args = process.argv.slice(2);

function socketPath(id: string): string {
  const option = args.find((arg) => arg.startsWith(`socket,id=${id},`));
  return /path=([^,]+)/.exec(option ?? '')?.[1] ?? '';
}

function serveQmp(socket: net.Socket): void {
  const send = (value: unknown) => socket.write(`${JSON.stringify(value)}\r\n`);
  send({ QMP: { version: { qemu: { major: 11, minor: 1, micro: 0 } }, capabilities: [] } });
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (const line of chunk.toString().split('\n').filter(Boolean)) {
      const { execute, id } = JSON.parse(line) as { execute: string; id: number };
      send({ return: execute === 'query-pci' ? [] : {}, id });
    }
  });
}

if (spoil.refuse !== undefined) {
  console.error(spoil.refuse);
  process.exit(1);
}
const { calls, console: words } = spoil;
const agent = fakeAgent({
  ...(spoil.failures && { failures: spoil.failures }),
  ...(calls !== undefined && { onCall: (method: string) => appendFileSync(calls, `${method}\n`) }),
});
net
  .createServer((socket) => {
    if (words !== undefined) socket.write(words);
    socket.on('error', () => {});
  })
  .listen(socketPath('charconsole0'), () => {
    net
      .createServer((socket) => {
        if (calls !== undefined) appendFileSync(calls, 'connected\n');
        if (!spoil.silent) agent.serve(socket);
      })
      .listen(socketPath('charagent0'), () => net.createServer(serveQmp).listen({ fd: 3 }));
  });
