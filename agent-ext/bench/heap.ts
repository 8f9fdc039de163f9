import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { AgentService } from '@kata-mock/contracts';
import { type Client, connect, createClient } from 'ttrpc-ts';
import { bundle, start } from './bundle.ts';

/** After a full garbage collection, in bytes. */
export interface HeapFigures {
  readonly heapBytes: number;
  /** Memory of buffers. */
  readonly externalBytes: number;
  readonly residentBytes: number;
}

/** Figures after so many containers have come and gone, 0 first. */
export type HeapGrowth = readonly (HeapFigures & { readonly containers: number })[];

/**
 * Limits as in the guest (guest-image/src/snapshot.ts). V8 keeps machine code in the heap too, and compiles for thousands of
 * containers: without it, what is left is what the agent keeps.
 */
const NODE_OPTIONS = [
  '--expose-gc',
  ...['--max-semi-space-size=1', '--max-old-space-size=128'],
  ...['--no-opt', '--no-sparkplug'],
];

/** Whether the agent keeps anything of containers that are gone: its memory after each `each` of them. */
export async function measureHeap(each: number, times: number): Promise<HeapGrowth> {
  const directory = mkdtempSync(path.join(tmpdir(), 'agent-heap-'));
  const child = start(await bundle('heap-agent.ts', directory), [directory], NODE_OPTIONS);
  const ended = once(child, 'exit');
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value ?? '';
    const root = await next();
    using connection = await connected(path.join(directory, 'agent.sock'));
    const growth: (HeapFigures & { containers: number })[] = [];
    for (let containers = 0; growth.length <= times; containers++) {
      if (containers % each === 0) {
        child.stdin.write('\n');
        growth.push({ containers, ...(JSON.parse(await next()) as HeapFigures) });
      }
      await live(connection.agent, root, `c${containers}`);
    }
    return growth;
  } finally {
    child.stdin.end();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

async function connected(socket: string) {
  const connection = await connect(`unix://${socket}`);
  return { agent: createClient(AgentService, connection), [Symbol.dispose]: () => connection.close() };
}

/** A whole life: device handling by message and by CDI, streams, the end of the process, and removal. */
async function live(agent: Client<typeof AgentService>, root: string, containerId: string): Promise<void> {
  const execId = containerId;
  const OCI = {
    Version: '1.1.0',
    Process: { Args: ['true'], Cwd: '/', Env: ['PCIDEVICE_X=0000:1a:00.0'] },
    Root: { Path: root },
    Annotations: { 'cdi.k8s.io/x': 'kata-mock.dev/accel=0' },
    Linux: { Devices: [{ Path: '/dev/mock-x', Type: 'c', Major: 1n, Minor: 3n }] },
  };
  const device = { type: 'mock-accel', id: '0', containerPath: '/dev/mock-x', options: ['0000:1a:00.0=02/00'] };
  await agent.createContainer({ containerId, execId, OCI, devices: [device] } as never);
  await agent.startContainer({ containerId });
  const streams = [
    agent.readStdout({ containerId, execId, len: 100 }),
    agent.readStderr({ containerId, execId, len: 100 }),
  ];
  const ended = Promise.allSettled(streams);
  await agent.signalProcess({ containerId, execId, signal: 9 });
  const { status } = await agent.waitProcess({ containerId, execId });
  if (status !== 128 + 9) throw new Error(`container ${containerId} ended with ${status}`);
  await ended;
  await agent.removeContainer({ containerId });
}
