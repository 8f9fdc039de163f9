/**
 * What a test asks the program inside a bare guest: one JSON object a line over a virtio-serial port, answered in order.
 * Bytes travel as base64.
 */
export interface Operations {
  read: (path: string) => string;
  write: (path: string, text: string) => void;
  writeBytes: (path: string, data: string) => void;
  exists: (path: string) => boolean;
  list: (path: string) => string[];
  realpath: (path: string) => string;
  mode: (path: string) => string;
  run: (argv: string[]) => { status: number | null; stdout: string; stderr: string };
  open: (path: string, flags: string) => number;
  close: (fd: number) => void;
  readFd: (fd: number, size: number) => string;
  ioctl: (fd: number, request: number, data: string) => string;
  /** ioctl with a pointer that points nowhere. */
  ioctlBadPointer: (fd: number, request: number) => void;
  map: (fd: number, length: number, offset: number, flags: number) => number;
  unmap: (mapping: number) => void;
  peek: (mapping: number, offset: number, length: number) => string;
  poke: (mapping: number, offset: number, data: string) => void;
  /** Writes one 32-bit register, in one store: copying four bytes may store them twice. */
  poke32: (mapping: number, offset: number, value: number) => void;
  /** Uevents of a subsystem since the last call; the first call starts listening. */
  uevents: (subsystem: string) => Record<string, string>[];
}

export interface Request {
  op: keyof Operations;
  args: unknown[];
}

export type Answer = { result: unknown } | { error: { code: string; message: string } };

/** Name of the port. */
export const PORT = 'io.kata-mock.test';
