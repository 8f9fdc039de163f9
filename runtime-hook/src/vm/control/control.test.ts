import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KataMockError } from '../../errors.ts';
import { ControlClient } from './client.ts';
import { type ControlHandler, serveControl } from './server.ts';

let dir: string;
let server: net.Server;
let handle: ControlHandler;
beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'kata-mock-control-'));
  server = await serveControl(path.join(dir, 'sock'), (...args) => handle(...args));
});
afterEach(() => {
  server.close();
  rmSync(dir, { recursive: true });
});
const socketPath = () => path.join(dir, 'sock');

describe('the control socket', () => {
  it('is for its owner only', () => {
    expect(statSync(socketPath()).mode & 0o777).toBe(0o600);
  });

  it('answers calls that overlap, each to its caller', async () => {
    const release: (() => void)[] = [];
    handle = (method) => new Promise((resolve) => release.push(() => resolve(method)));
    const client = await ControlClient.open(socketPath());
    const calls = [client.call('status', {}), client.call('removeContainer', { id: 'c' })];
    while (release.length < 2) await new Promise((resolve) => setImmediate(resolve));
    for (const each of release.reverse()) each();
    expect(await Promise.all(calls)).toEqual(['status', 'removeContainer']);
    client.close();
  });

  it('carries an error with its code and hint', async () => {
    handle = () => Promise.reject(new KataMockError('NOT_FOUND', 'no container "x"', { hint: 'kata-mock ps' }));
    const client = await ControlClient.open(socketPath());
    await expect(client.call('removeContainer', { id: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'no container "x"',
      hint: 'kata-mock ps',
    });
    client.close();
  });

  it('tells the owner when a client goes, whatever it was doing', async () => {
    const gone = new Promise<void>((resolve) => {
      handle = async (_method, _params, peer) => peer.onGone(resolve);
    });
    const client = await ControlClient.open(socketPath());
    await client.call('status', {});
    client.close();
    await gone;
  });

  it('fails calls when the owner goes or does not answer', async () => {
    handle = () => new Promise(() => {});
    const client = await ControlClient.open(socketPath());
    await expect(client.call('status', {}, { timeoutMs: 5 })).rejects.toThrow('does not answer status within 5 ms');
    const pending = client.call('status', {});
    client.close();
    await expect(pending).rejects.toThrow('has ended');
    await client.closed;
  });

  it.each(['nonsense\n', '[]\n', '{"id": "1", "method": "status"}\n', 'null\n'])('hangs up on %j', async (line) => {
    handle = () => Promise.resolve({});
    const socket = net.connect(socketPath());
    socket.write(line);
    await once(socket.resume(), 'close');
  });
});
