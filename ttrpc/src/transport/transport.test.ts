import { existsSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../client/client.ts';
import { Code } from '../code.ts';
import { Echo } from '../echo.ts';
import { encodeRequest } from '../protocol/envelope.ts';
import { encodeFrame } from '../protocol/frame.ts';
import type { ServerOptions } from '../server/server.ts';
import { collect } from '../testing/pair.ts';
import { echoServer } from '../testing/served.ts';
import { tempFolder } from '../testing/temp.ts';
import { connect } from './connect.ts';
import type { Listener } from './listen.ts';

async function served(address: string, options: ServerOptions = {}): Promise<Listener> {
  const server = echoServer(
    { unary: (request, { peer }) => ({ text: `${request.text} ${peer?.pid ?? ''}` }) },
    options,
  );
  onTestFinished(() => server.close());
  return server.listen(address);
}

async function ask(address: string): Promise<string> {
  const connection = await connect(address);
  onTestFinished(() => connection.destroy());
  return (await createClient(Echo, connection).unary({ text: 'hi' })).text;
}

describe('unix sockets', () => {
  test('have mode 0600, and go with their listener', async () => {
    const path = `${tempFolder()}/a.sock`;
    const listener = await served(`unix://${path}`);
    expect(listener.address).toBe(`unix://${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask(listener.address)).toBe('hi ');
    await listener.close();
    expect(existsSync(path)).toBe(false);
  });

  test('left over from a server that was killed are replaced, those in use and other files are not', async () => {
    const folder = tempFolder();
    const stale = `${folder}/stale.sock`;
    await leaveStale(stale);
    expect(statSync(stale).isSocket()).toBe(true);
    await served(`unix://${stale}`);
    expect(await ask(`unix://${stale}`)).toBe('hi ');
    await expect(served(`unix://${stale}`)).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: expect.stringContaining('EADDRINUSE'),
    });
    writeFileSync(`${folder}/file`, 'precious');
    await expect(served(`unix://${folder}/file`)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    expect(existsSync(`${folder}/file`)).toBe(true);
  });

  test('may be abstract', async () => {
    const address = `unix://@ttrpc-test-${process.pid}`;
    await served(address);
    expect(await ask(address)).toBe('hi ');
  });

  test('tell who connects, when asked to', async () => {
    const folder = tempFolder();
    await served(`unix://${folder}/a.sock`, { peerCredentials: true });
    expect(await ask(`unix://${folder}/a.sock`)).toBe(`hi ${process.pid}`);
  });

  test('serve only whom the server authorizes', async () => {
    const folder = tempFolder();
    const uid = process.getuid!();
    await served(`unix://${folder}/mine.sock`, { authorize: (peer) => peer.uid === uid });
    expect(await ask(`unix://${folder}/mine.sock`)).toBe(`hi ${process.pid}`);
    await served(`unix://${folder}/others.sock`, { authorize: (peer) => peer.uid === uid + 1 });
    await expect(ask(`unix://${folder}/others.sock`)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  test('answer a client that sends, closes its half and reads', async () => {
    const path = `${tempFolder()}/a.sock`;
    await served(`unix://${path}`);
    const socket = net.connect({ path, allowHalfOpen: true });
    const requests = ['Unary', 'ServerStream'].map((method, index) =>
      encodeFrame(
        index * 2 + 1,
        1,
        index,
        encodeRequest({
          service: Echo.typeName,
          method,
          payload: Buffer.from('0a0161', 'hex'),
          timeoutMs: 500,
          metadata: undefined,
        }),
      ),
    );
    socket.end(Buffer.concat(requests));
    const bytes = Buffer.concat(await collect(socket));
    expect(bytes.toString('hex')).toBe(
      '00000006' +
        '00000001' +
        '0200' +
        '12040a026120' +
        '00000003' +
        '00000003' +
        '0300' +
        '0a0161' +
        '00000000' +
        '00000003' +
        '0305',
    );
  });

  test('that nobody can be, or is, listening on say so', async () => {
    await expect(connect('unix:///nonexistent/a.sock')).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: expect.stringMatching(/^cannot connect to unix:\/\/\/nonexistent\/a\.sock: .*ENOENT/),
    });
    await expect(served('unix:///nonexistent/a.sock')).rejects.toMatchObject({
      code: Code.NOT_FOUND,
      message: 'cannot listen on unix:///nonexistent/a.sock: there is no folder /nonexistent: make it first',
    });
  });
});

test('tcp chooses a port for 0 and says which', async () => {
  const { address } = await served('tcp://127.0.0.1:0');
  expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  expect(await ask(address)).toBe('hi ');
});

test('an address that cannot tell who connects is refused where that is needed', async () => {
  await expect(served('tcp://127.0.0.1:0', { authorize: () => true })).rejects.toMatchObject({
    code: Code.FAILED_PRECONDITION,
    message: 'tcp://127.0.0.1:0: only unix sockets tell who connects',
  });
});

test('connecting is given up at its signal', async () => {
  const signal = AbortSignal.abort(new Error('never mind'));
  await expect(connect('unix:///x', { signal })).rejects.toMatchObject({ code: Code.CANCELED });
});

describe('hybrid vsock', () => {
  /** A VMM's socket that says `answer` to CONNECT and then serves what `rest` does with the socket. */
  async function vmm(answer: string, rest: (socket: net.Socket) => void = () => {}) {
    const path = `${tempFolder()}/vm.sock`;
    const asked: string[] = [];
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (line) => {
        asked.push(String(line));
        socket.write(answer);
        rest(socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    return { path, asked };
  }

  test('asks the VMM for the port, and what follows its answer in the same piece is not lost', async () => {
    const { path, asked } = await vmm('OK 1073741824\n', (socket) => echoServer().serve(socket));
    expect(await ask(`hvsock://${path}:1024`)).toBe('hi');
    expect(asked).toEqual(['CONNECT 1024\n']);
  });

  test.for([
    ['NO\n', 'the VMM answered "NO" to CONNECT'],
    ['x'.repeat(100), 'the VMM answered "xxxx'],
  ] as const)('an answer of %j is an error', async ([answer, says]) => {
    const { path } = await vmm(answer);
    await expect(connect(`hvsock://${path}:7`)).rejects.toMatchObject({
      code: Code.UNAVAILABLE,
      message: expect.stringContaining(says),
    });
  });

  test('a VMM that hangs up has nobody on that port', async () => {
    const { path } = await vmm('', (socket) => void socket.destroy());
    await expect(connect(`hvsock://${path}:7`)).rejects.toMatchObject({
      message: expect.stringContaining('nothing listens on the port, or the guest is not up yet'),
    });
  });

  test('a VMM that says nothing is waited for so long', async () => {
    const { path } = await vmm('');
    await expect(connect(`hvsock://${path}:7`, { connectTimeoutMs: 30 })).rejects.toMatchObject({
      message: expect.stringContaining('no connection within 30 ms'),
    });
  });

  test('a guest reaches the host where the VMM delivers it: path_port', async () => {
    const path = `${tempFolder()}/vm.sock`;
    await served(`hvsock://${path}:9`);
    expect(await ask(`unix://${path}_9`)).toBe('hi ');
  });
});

test('vsock, over the loopback of this machine', async ({ skip }) => {
  try {
    await served('vsock://1:54321');
  } catch (error) {
    const { message } = error as Error;
    console.log(`skipped: no vsock loopback here (${message}); modprobe vsock_loopback gives one`);
    skip();
  }
  expect(await ask('vsock://1:54321')).toBe('hi ');
});

test('a vsock address nobody answers fails by name', async () => {
  await expect(connect('vsock://1:54322', { connectTimeoutMs: 500 })).rejects.toMatchObject({
    code: Code.UNAVAILABLE,
    message: expect.stringMatching(/^cannot connect to vsock:\/\/1:54322: /),
  });
});

/** What a killed server leaves: a socket file that nobody listens on. */
async function leaveStale(path: string): Promise<void> {
  const { spawnSync } = await import('node:child_process');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
}

test('a client that resets its connection leaves nothing at the server', async () => {
  const aborted = new Promise<AbortSignal>((resolve) => {
    const server = echoServer({
      slow: (_request, { signal }) => {
        signal.addEventListener('abort', () => resolve(signal));
        return new Promise(() => {});
      },
    });
    onTestFinished(() => server.close());
    void server.listen('tcp://127.0.0.1:0').then(async ({ address }) => {
      const port = Number(address.split(':').at(-1));
      const socket = net.connect(port, '127.0.0.1');
      const payload = new Uint8Array(0);
      const request = encodeRequest({
        service: Echo.typeName,
        method: 'Slow',
        payload,
        timeoutMs: undefined,
        metadata: undefined,
      });
      socket.write(encodeFrame(1, 1, 0, request));
      await expect.poll(() => server.connections, { interval: 1 }).toBe(1);
      socket.resetAndDestroy();
      await expect.poll(() => server.connections, { interval: 1 }).toBe(0);
    });
  });
  expect((await aborted).reason).toMatchObject({ code: Code.CANCELED });
});
