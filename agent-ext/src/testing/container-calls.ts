import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { create } from '@bufbuild/protobuf';
import { CreateContainerRequestSchema, ExecProcessRequestSchema, WaitProcessRequestSchema } from '@kata-mock/contracts';
import type { HandlerContext } from 'ttrpc-ts';
import type { Agent } from '../agent.ts';
import { createContainer } from '../service/handlers/create-container.ts';
import { destroySandbox } from '../service/handlers/destroy-sandbox.ts';
import { execProcess } from '../service/handlers/exec-process.ts';
import { removeContainer } from '../service/handlers/remove-container.ts';
import { startContainer } from '../service/handlers/start-container.ts';
import { readStderr, readStdout } from '../service/handlers/streams.ts';
import { waitProcess } from '../service/handlers/wait-process.ts';
import { Storages } from '../storage/storages.ts';
import { fakeAgent } from './fake-agent.ts';
import { FakeRunc } from './fake-runc.ts';

/** The calls of a shim about containers, on an agent with a {@link FakeRunc} and storages that only count. */
export function containerCalls() {
  const runc = new FakeRunc();
  const fake = fakeAgent({ parts: { runc: runc.runc } });
  const unmounted: string[] = [];
  const driver = {
    names: ['local'],
    mount:
      async (_: unknown, { mountPoint }: { mountPoint: string }) =>
      async () => {
        unmounted.push(path.basename(mountPoint));
      },
  };
  const { base, state } = fake.agent.paths;
  const storages = new Storages({ guest: fake.guest, base, state, hotplugTimeoutMs: 10 }, [driver]);
  let ended = 0;
  const agent: Agent = { ...fake.agent, storages, end: () => void ended++ };
  const root = path.join(base, 'rootfs');
  mkdirSync(root);
  const Process = { Args: ['x'], Cwd: '/' };
  const context = (signal = new AbortController().signal) => ({ signal }) as HandlerContext;

  const calls = {
    create: async (containerId: string, volumes: string[] = [], signal?: AbortSignal) => {
      const request = create(CreateContainerRequestSchema, {
        containerId,
        execId: containerId,
        storages: volumes.map((name) => ({ driver: 'local', mountPoint: path.join(base, name) })),
        OCI: { Version: '1.0.2', Process, Root: { Path: root }, Linux: {} },
      });
      await createContainer(agent)(request, context(signal));
    },
    start: async (containerId: string) => void (await startContainer(agent)({ containerId } as never, context())),
    exec: async (containerId: string, execId: string, signal?: AbortSignal) => {
      const request = create(ExecProcessRequestSchema, { containerId, execId, process: Process });
      await execProcess(agent)(request, context(signal));
    },
    wait: async (containerId: string, execId = '') => {
      const request = create(WaitProcessRequestSchema, { containerId, execId });
      return (await waitProcess(agent)(request, context())).status;
    },
    /** One stream to its end. */
    read: async (containerId: string, execId: string, method: 'stdout' | 'stderr' = 'stdout') => {
      const read = (method === 'stdout' ? readStdout : readStderr)(agent);
      let text = '';
      for (;;) {
        try {
          const { data } = await read({ containerId, execId, len: 100 } as never, context());
          text += Buffer.from(data as Uint8Array).toString();
        } catch (error) {
          if ((error as { code?: string }).code !== 'END_OF_STREAM') throw error;
          return text;
        }
      }
    },
    remove: async (containerId: string) => void (await removeContainer(agent)({ containerId } as never, context())),
    destroy: async () => void (await destroySandbox(agent)({} as never, context())),
  };
  /** Ends one exec. */
  const end = (containerId: string, execId: string, status: number, says?: string) =>
    runc.processes.get(`${containerId}/${execId}`)?.end(status, says);
  return { agent, runc, storages, unmounted, calls, end, ended: () => ended, tidyUp: () => fake.remove() };
}
