import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll } from './descriptors.ts';
import { MessageReceiver, MessageSender, MSG_CTRUNC, MSG_DONTWAIT, recvmsg, sendmsg } from './message.ts';
import { SHUT_WR, shutdown, socketpair } from './socket.ts';
import { codeOf, openDescriptors } from './testing.ts';

let open: number[] = [];
const pair = () => {
  const fds = socketpair();
  open.push(...fds);
  return fds;
};
const files = (count: number) => {
  const fds = Array.from({ length: count }, () => openSync('/dev/zero', 'r'));
  open.push(...fds);
  return fds;
};

afterEach(() => {
  closeAll(open);
  open = [];
});

describe('sendmsg and recvmsg', () => {
  it('carry bytes from several pieces', () => {
    const [a, b] = pair();
    expect(sendmsg(a, [Buffer.from('one '), new Uint8Array(0), Buffer.from('two')])).toBe(7);
    const buffer = Buffer.alloc(16);
    expect(recvmsg(b, buffer)).toEqual({ bytes: 7, fds: [], flags: expect.any(Number) });
    expect(buffer.toString('utf8', 0, 7)).toBe('one two');
  });

  it('carry descriptors that work and close on exec', () => {
    const [a, b] = pair();
    sendmsg(a, Buffer.from('x'), { fds: files(2) });
    const { bytes, fds } = recvmsg(b, Buffer.alloc(1), { maxFds: 2 });
    open.push(...fds);
    expect(bytes).toBe(1);
    expect(fds).toHaveLength(2);
    const data = Buffer.alloc(4, 0xff);
    readSync(fds[1]!, data);
    expect(data.every((byte) => byte === 0)).toBe(true);
    const flags = recvFlags(fds[0]!);
    expect(flags & 0o2000000).toBe(0o2000000);
  });

  it('deliver up to 253 descriptors', () => {
    const [a, b] = pair();
    sendmsg(a, Buffer.from('x'), { fds: files(253) });
    const { fds } = recvmsg(b, Buffer.alloc(1), { maxFds: 253 });
    open.push(...fds);
    expect(new Set(fds).size).toBe(253);
  });

  it('close every descriptor when more came than there is room for, and leak none', () => {
    const [a, b] = pair();
    const sent = files(5);
    const before = openDescriptors();
    for (const maxFds of [0, 1, 2, 4]) {
      sendmsg(a, Buffer.from('x'), { fds: sent });
      const message = recvmsg(b, Buffer.alloc(1), { maxFds });
      expect(message.fds).toEqual([]);
      expect(message.flags & MSG_CTRUNC).toBe(MSG_CTRUNC);
    }
    expect(openDescriptors()).toEqual(before);
  });

  it('report the end of the stream as 0 bytes', () => {
    const [a, b] = pair();
    shutdown(a, SHUT_WR);
    expect(recvmsg(b, Buffer.alloc(1)).bytes).toBe(0);
  });

  it('throw EAGAIN, EPIPE and EBADF with the call and its arguments', () => {
    const [a, b] = pair();
    expect(codeOf(() => recvmsg(b, Buffer.alloc(1), { flags: MSG_DONTWAIT }))).toBe('EAGAIN');
    closeSync(b);
    expect(codeOf(() => sendmsg(a, Buffer.from('x')))).toBe('EPIPE');
    expect(() => recvmsg(-1, Buffer.alloc(3))).toThrow('recvmsg(-1, <3 bytes>, 0) failed: EBADF: bad file descriptor');
  });

  it('refuse more descriptors than a message carries', () => {
    expect(codeOf(() => sendmsg(0, Buffer.from('x'), { fds: Array.from({ length: 254 }, () => 0) }))).toBe('EINVAL');
  });
});

describe('MessageReceiver and MessageSender', () => {
  it('reuse their buffers for many messages, with and without descriptors', () => {
    const [a, b] = pair();
    const sender = new MessageSender(a, { capacity: 64 });
    const receiver = new MessageReceiver(b, { capacity: 64, maxFds: 4 });
    const [file] = files(1);
    const before = openDescriptors();
    for (let round = 0; round < 500; round++) {
      sender.buffer.writeUInt32LE(round, 8);
      const fds = round % 3 === 0 ? [file!] : [];
      expect(sender.send(8, 4, { fds })).toBe(4);
      expect(receiver.receive(4, 16)).toBe(4);
      expect(receiver.buffer.readUInt32LE(4)).toBe(round);
      expect(receiver.fds).toHaveLength(fds.length);
      closeAll(receiver.fds);
    }
    expect(openDescriptors()).toEqual(before);
  });

  it('receive no descriptor of an earlier message', () => {
    const [a, b] = pair();
    const receiver = new MessageReceiver(b, { capacity: 8, maxFds: 1 });
    sendmsg(a, Buffer.from('x'), { fds: files(1) });
    receiver.receive(0, 8);
    closeAll(receiver.fds);
    writeSync(a, 'y');
    receiver.receive(0, 8);
    expect(receiver.fds).toEqual([]);
  });

  it('never touch memory outside their buffer', () => {
    const [a, b] = pair();
    const receiver = new MessageReceiver(b, { capacity: 8 });
    const sender = new MessageSender(a, { capacity: 8 });
    for (const [offset, length] of [
      [0, 9],
      [8, 1],
      [-1, 1],
      [0, -1],
    ] as const) {
      expect(codeOf(() => receiver.receive(offset, length))).toBe('EINVAL');
      expect(codeOf(() => sender.send(offset, length))).toBe('EINVAL');
    }
  });
});

function recvFlags(fd: number): number {
  const file = openSync(`/proc/self/fdinfo/${fd}`, 'r');
  try {
    const text = Buffer.alloc(256);
    const length = readSync(file, text);
    return Number.parseInt(/flags:\s+(\d+)/.exec(text.toString('utf8', 0, length))![1]!, 8);
  } finally {
    closeSync(file);
  }
}
