import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentService, Health, HealthCheckResponse_ServingStatus } from '@kata-mock/contracts';
import { fakeAgent } from '@kata-mock/runtime-hook/testing';
import { type Client, Code, type Connection, connect, createClient, type Server, TtrpcError } from 'ttrpc-ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SandboxUnderTest, testHost } from '../support/host.ts';

/** An agent and a container in it that idles. */
interface Subject {
  address: string;
  containerId: string;
}

/** What the host's tests take for granted of the fake agent, asked of both. */
function behavesLikeTheAgent(subject: () => Subject): void {
  let connection: Connection;
  let agent: Client<typeof AgentService>;
  beforeAll(async () => {
    connection = await connect(subject().address);
    agent = createClient(AgentService, connection, { timeoutMs: 60_000 });
  });
  afterAll(() => connection.close());

  const exec = async (script: string) => {
    const ids = { containerId: subject().containerId, execId: randomUUID() };
    const process = { Args: ['/bin/sh', '-c', script], Env: ['PATH=/bin:/usr/bin'], Cwd: '/', User: {} };
    await agent.execProcess({ ...ids, process });
    return ids;
  };
  const read = async (call: () => Promise<{ data: Uint8Array }>) => {
    let text = '';
    for (;;) {
      try {
        text += Buffer.from((await call()).data).toString();
      } catch (error) {
        return { text, code: (error as TtrpcError).code };
      }
    }
  };
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => Code.OK,
      (error: unknown) => (error instanceof TtrpcError ? error.code : undefined),
    );

  it('serves', async () => {
    const { status } = await createClient(Health, connection).check({});
    expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
  });

  it('ends each stream with an INTERNAL error after its data, and then answers the exit code', async () => {
    const ids = await exec('echo out; echo err >&2; exit 3');
    const [out, err] = await Promise.all([
      read(() => agent.readStdout({ ...ids, len: 32768 })),
      read(() => agent.readStderr({ ...ids, len: 32768 })),
    ]);
    expect(out).toEqual({ text: 'out\n', code: Code.INTERNAL });
    expect(err).toEqual({ text: 'err\n', code: Code.INTERNAL });
    expect((await agent.waitProcess(ids)).status).toBe(3);
  });

  it('answers no more than was asked for at once', async () => {
    const ids = await exec('echo 0123456789');
    const { data } = await agent.readStdout({ ...ids, len: 4 });
    expect(Buffer.from(data).toString()).toBe('0123');
    await read(() => agent.readStdout({ ...ids, len: 32768 }));
    await read(() => agent.readStderr({ ...ids, len: 32768 }));
    await agent.waitProcess(ids);
  });

  it('passes stdin on until it is closed', async () => {
    const ids = await exec('cat');
    expect((await agent.writeStdin({ ...ids, data: Buffer.from('hello') })).len).toBe(5);
    await agent.closeStdin(ids);
    expect((await read(() => agent.readStdout({ ...ids, len: 32768 }))).text).toBe('hello');
    await read(() => agent.readStderr({ ...ids, len: 32768 }));
    expect((await agent.waitProcess(ids)).status).toBe(0);
  });

  it('answers 128 and the signal for a process that a signal ended', async () => {
    const ids = await exec('echo up; exec sleep 100');
    await agent.readStdout({ ...ids, len: 32768 });
    await agent.signalProcess({ ...ids, signal: 9 });
    await read(() => agent.readStdout({ ...ids, len: 32768 }));
    await read(() => agent.readStderr({ ...ids, len: 32768 }));
    expect((await agent.waitProcess(ids)).status).toBe(137);
  });

  it('knows no container and no process that was not made', async () => {
    const nobody = { containerId: 'nobody', execId: 'nobody' };
    const { containerId } = subject();
    expect(await codeOf(agent.startContainer({ containerId: 'nobody' }))).toBe(Code.NOT_FOUND);
    expect(await codeOf(agent.removeContainer({ containerId: 'nobody' }))).toBe(Code.NOT_FOUND);
    expect(await codeOf(agent.readStdout({ ...nobody, len: 1 }))).toBe(Code.NOT_FOUND);
    expect(await codeOf(agent.waitProcess({ containerId, execId: 'nobody' }))).toBe(Code.NOT_FOUND);
  });

  it('takes an exec id once', async () => {
    const ids = await exec('true');
    const process = { Args: ['/bin/true'], Env: [], Cwd: '/', User: {} };
    expect(await codeOf(agent.execProcess({ ...ids, process }))).toBe(Code.ALREADY_EXISTS);
  });
}

describe('the fake agent', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'km-fake-'));
  const address = `unix://${path.join(directory, 'agent.sock')}`;
  let server: Server;
  beforeAll(async () => {
    server = fakeAgent();
    await server.listen(address);
    const connection = await connect(address);
    const agent = createClient(AgentService, connection);
    const Process = { Args: ['/bin/sleep', '1000'], Env: [], Cwd: '/', User: {} };
    await agent.createContainer({ containerId: 'c', execId: 'c', OCI: { Process } });
    await agent.startContainer({ containerId: 'c' });
    await connection.close();
  });
  afterAll(async () => {
    const connection = await connect(address);
    await createClient(AgentService, connection).destroySandbox({});
    await connection.close();
    server.close();
    rmSync(directory, { recursive: true });
  });
  behavesLikeTheAgent(() => ({ address, containerId: 'c' }));
});

describe('the agent in a VM', () => {
  const current = testHost();
  let sandbox: SandboxUnderTest;
  beforeAll(async () => {
    sandbox = await current.host.sandbox('contract', ['--annotation', 'io.kata-mock/devices=none']);
  });
  afterAll(() => sandbox.stop());
  behavesLikeTheAgent(() => ({
    address: `unix://${current.host.runDir}/sandboxes/contract/agent.sock`,
    containerId: 'contract',
  }));
});
