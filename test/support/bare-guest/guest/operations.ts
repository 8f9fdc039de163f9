import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { ioctl, type Mapping, mmap, UeventMonitor } from '@kata-mock/posix';
import type { Operations } from '../protocol.ts';

const mappings = new Map<number, Mapping>();
let nextMapping = 1;

let events: Record<string, string>[] | undefined;

/** A page that no process has mapped: the kernel keeps the lowest ones free. */
const NOWHERE = 8;

const mapping = (handle: number): Mapping => {
  const found = mappings.get(handle);
  if (!found) throw new Error(`no mapping ${handle}`);
  return found;
};

export const operations: Operations = {
  read: (path) => fs.readFileSync(path, 'utf8'),
  write: (path, text) => fs.writeFileSync(path, text),
  writeBytes: (path, data) => fs.writeFileSync(path, Buffer.from(data, 'base64')),
  exists: (path) => fs.existsSync(path),
  list: (path) => fs.readdirSync(path).sort(),
  realpath: (path) => fs.realpathSync(path),
  mode: (path) => (fs.statSync(path).mode & 0o7777).toString(8),
  run: ([program = '', ...args]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return { status, stdout, stderr };
  },
  open: (path, flags) => fs.openSync(path, flags),
  close: (fd) => fs.closeSync(fd),
  readFd: (fd, size) => {
    const buffer = Buffer.alloc(size);
    return buffer.subarray(0, fs.readSync(fd, buffer)).toString('base64');
  },
  ioctl: (fd, request, data) => {
    const buffer = Buffer.from(data, 'base64');
    ioctl(fd, request, buffer);
    return buffer.toString('base64');
  },
  ioctlBadPointer: (fd, request) => void ioctl(fd, request, NOWHERE),
  map: (fd, length, offset, flags) => {
    mappings.set(nextMapping, mmap(fd, length, { offset, flags }));
    return nextMapping++;
  },
  unmap: (handle) => {
    mapping(handle).unmap();
    mappings.delete(handle);
  },
  peek: (handle, offset, length) => {
    const copy = Buffer.alloc(length);
    copy.set(mapping(handle).bytes.subarray(offset, offset + length));
    return copy.toString('base64');
  },
  poke: (handle, offset, data) => mapping(handle).bytes.set(Buffer.from(data, 'base64'), offset),
  poke32: (handle, offset, value) => {
    const { buffer, byteOffset } = mapping(handle).bytes;
    new Uint32Array(buffer, byteOffset + offset, 1)[0] = value;
  },
  uevents: (subsystem) => {
    if (!events) {
      const seen: Record<string, string>[] = [];
      new UeventMonitor().on('uevent', (event) => seen.push({ action: event.action, ...event.env }));
      events = seen;
      return [];
    }
    const taken = events.filter((event) => event['SUBSYSTEM'] === subsystem);
    events.length = 0;
    return taken;
  },
};
