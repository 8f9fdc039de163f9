import { closeSync, existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, expect, it, type TestContext } from 'vitest';
import { FdListener } from './fd-listener.ts';
import { openDescriptors } from './testing.ts';
import { VMADDR_CID_LOCAL, vsockConnect, vsockListen, vsockLocalCid, vsockOpen } from './vsock.ts';

const PORT = 40_000 + (process.pid % 20_000);

function loopback(context: TestContext): number {
  try {
    const listener = vsockListen(PORT, VMADDR_CID_LOCAL, { nonblock: true });
    return listener;
  } catch (error) {
    console.log(`skipped: this kernel has no vsock loopback (${(error as Error).message})`);
    return context.skip('no vsock loopback');
  }
}

describe('vsock', () => {
  it('connects through the loopback transport, blocking and not', async (context) => {
    const listener = new FdListener(loopback(context));
    listener.on('connection', (stream) => stream.end('hello'));
    const stream = await vsockOpen(VMADDR_CID_LOCAL, PORT);
    expect(await text(stream)).toBe('hello');
    closeSync(vsockConnect(VMADDR_CID_LOCAL, PORT));
    listener.close();
  });

  it('says why there is no connection, at once or in time, and leaks nothing', async () => {
    const before = openDescriptors();
    const unreachable = /vsock 1:1|socket\(40/;
    const timeoutMs = 200;
    expect(() => vsockConnect(VMADDR_CID_LOCAL, 1, { timeoutMs })).toThrow(unreachable);
    await expect(vsockOpen(VMADDR_CID_LOCAL, 1, { timeoutMs })).rejects.toThrow(unreachable);
    await expect(vsockOpen(1, 1, { signal: AbortSignal.abort(new Error('no longer wanted')) })).rejects.toThrow(
      'no longer wanted',
    );
    expect(openDescriptors()).toEqual(before);
  });

  it('knows its own context id, or that it has none', (context) => {
    if (existsSync('/dev/vsock') && process.getuid?.() !== 0) {
      console.log('skipped: /dev/vsock is for root here');
      context.skip('/dev/vsock is for root here');
    }
    const cid = vsockLocalCid();
    expect(cid === undefined || cid > 0).toBe(true);
  });
});
