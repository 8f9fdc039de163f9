/**
 * Containerd's own Go code, as Debian packages it (1.1.1: unary calls only), on the other end of the socket. Built and
 * run where `golang-go` and `golang-github-containerd-ttrpc-dev` are installed.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from './client/client.ts';
import { Code } from './code.ts';
import { Echo, echoHandlers } from './echo.ts';
import { TtrpcError } from './errors.ts';
import { Server } from './server/server.ts';
import { echoServer } from './testing/served.ts';
import { connect } from './transport/connect.ts';

const GOPATH = '/usr/share/gocode';
const source = path.resolve(import.meta.dirname, '../interop');
const missing = whatIsMissing();
if (missing !== undefined) console.log(`skipped: interop with Go: ${missing}`);

function whatIsMissing(): string | undefined {
  if (!existsSync(`${GOPATH}/src/github.com/containerd/ttrpc`)) {
    return 'no Go package of ttrpc here (Debian: golang-github-containerd-ttrpc-dev)';
  }
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
  } catch {
    return 'no Go here (Debian: golang-go)';
  }
  return undefined;
}

describe.skipIf(missing !== undefined)('with the Go implementation', () => {
  let folder: string;
  let program: string;

  // The first build compiles gRPC's packages too; later ones come from Go's cache.
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ttrpc-go-'));
    program = path.join(folder, 'interop');
    const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOFLAGS: '' };
    execFileSync('go', ['build', '-o', program, '.'], { cwd: source, env, stdio: 'inherit' });
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('its client gets from our server what it gets from its own', async () => {
    const ours = `${folder}/ours.sock`;
    const server = new Server()
      .register(Echo, echoHandlers)
      // The one method outside the proto, to see metadata arrive.
      .fallback(({ service, method, payload, context }) => {
        if (service !== Echo.typeName) throw new TtrpcError(Code.UNIMPLEMENTED, `service ${service}`);
        if (method !== 'Metadata') throw new TtrpcError(Code.UNIMPLEMENTED, `method ${method}`);
        const key = Buffer.from(payload.subarray(2)).toString();
        const text = context.metadata.getAll(key).join(',');
        return Buffer.concat([Buffer.of(0x0a, text.length), Buffer.from(text)]);
      });
    await server.listen(`unix://${ours}`);
    onTestFinished(() => server.close());
    const theirs = await goServer(`${folder}/theirs.sock`);

    const fromOurs = await goCalls(ours);
    expect(fromOurs).toEqual([
      { text: 'hello', code: Code.OK, message: '' },
      { text: '', code: Code.OK, message: '' },
      { text: '', code: Code.OK, message: '' },
      { text: '4000000 bytes', code: Code.OK, message: '' },
      {
        text: '',
        code: Code.RESOURCE_EXHAUSTED,
        message: 'message length 5000010 exceed maximum message size of 4194304',
      },
      { text: '', code: Code.NOT_FOUND, message: 'failed with code 5, as asked' },
      { text: '', code: Code.UNIMPLEMENTED, message: 'method Nope' },
      { text: '', code: Code.UNIMPLEMENTED, message: 'service no.Service' },
      { text: 'a,b', code: Code.OK, message: '' },
      { text: '', code: expect.any(Number), message: 'context deadline exceeded' },
      { text: '1000 right', code: Code.OK, message: '' },
    ]);
    // The one difference is known: this version sends a reply of any size, and its own client panics on it.
    const fromTheirs = await goCalls(theirs, 'call-own');
    const same = (outcomes: unknown[]) => outcomes.filter((_, index) => index !== 4);
    // Which side notices a deadline first, and so with which code it is told, is a race.
    const timed = { text: '', code: expect.any(Number), message: 'context deadline exceeded' };
    expect(same(fromOurs)).toEqual(fromTheirs.map((one, index) => (index === 8 ? timed : one)));
  });

  test('our client gets from its server what it gets from ours', async () => {
    const connection = await connect(`unix://${await goServer(`${folder}/server.sock`)}`);
    onTestFinished(() => connection.destroy());
    const client = createClient(Echo, connection);
    expect((await client.unary({ text: 'hello' })).text).toBe('hello');
    expect((await client.unary({})).text).toBe('');
    expect((await client.big({ text: '4000000' })).text).toHaveLength(4_000_000);
    await expect(client.big({ text: '5000000' })).rejects.toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      message: 'message length 5000010 exceed maximum message size of 4194304',
    });
    await expect(client.fail({ text: '5' })).rejects.toMatchObject({ code: Code.NOT_FOUND });
    await expect(client.clientStream([])).rejects.toMatchObject({
      code: Code.UNIMPLEMENTED,
      message: expect.stringContaining('method ClientStream'),
    });
    const reply = await connection.raw(Echo.typeName, 'Metadata', Buffer.from('0a036b6579', 'hex'), {
      metadata: { key: ['a', 'b'] },
    });
    expect(Buffer.from(reply).toString('hex')).toBe('0a03612c62');
    await expect(client.slow({}, { timeoutMs: 50 })).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    const replies = await Promise.all(Array.from({ length: 1000 }, (_, i) => client.unary({ text: `call ${i}` })));
    expect(replies.map(({ text }) => text)).toEqual(Array.from({ length: 1000 }, (_, i) => `call ${i}`));
  });

  test('its client hanging up in the middle of calls leaves our server serving', async () => {
    const socket = `${folder}/hangup.sock`;
    const server = echoServer();
    await server.listen(`unix://${socket}`);
    onTestFinished(() => server.close());
    const child = spawn(program, ['call', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout!, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect.poll(() => server.connections).toBe(0);
    expect(await goCalls(socket)).toHaveLength(11);
  });

  async function goServer(socket: string): Promise<string> {
    const child = spawn(program, ['serve', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => end(child));
    await once(child.stdout!, 'data');
    return socket;
  }

  async function goCalls(socket: string, how = 'call'): Promise<unknown[]> {
    const child = spawn(program, [how, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    await once(child, 'close');
    return out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }
});

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
