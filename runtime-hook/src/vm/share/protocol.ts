/** What the share's thread is asked to do; every path is absolute. */
export interface ShareCalls {
  /** Enters a mount namespace of its own and makes the share's tmpfs at `dir`. */
  init(params: { dir: string; sizeBytes: number }): void;
  /** Puts a root file system at `<share>/<containerId>/rootfs`. */
  addRootfs(params: { containerId: string; source: string; mode: RootfsMode }): void;
  /** Puts a file or directory of the host at `<share>/<name>`. */
  addBind(params: { containerId: string; name: string; source: string; readonly: boolean; recursive: boolean }): void;
  /** Takes a container's root and binds away again. */
  remove(params: { containerId: string }): void;
  /** Starts a process in the namespace; `ended` reports its end. */
  spawn(params: SpawnParams): { pid: number };
}

/**
 * - `overlay`: writes of the container go to memory and vanish with the sandbox; `source` is only read.
 * - `bind`: writes go through to `source`.
 */
export type RootfsMode = 'overlay' | 'bind';

export interface SpawnParams {
  command: string;
  args: string[];
  /** Becomes the child's descriptor 3. */
  fd: number;
  /** The child's stdout and stderr. */
  logFd: number;
}

export type ShareMethod = keyof ShareCalls;

export interface ShareRequest {
  id: number;
  method: ShareMethod;
  params: unknown;
}

export type ShareMessage =
  | { kind: 'result'; id: number; result: unknown }
  | { kind: 'error'; id: number; message: string; code: string | undefined }
  | { kind: 'ended'; pid: number; code: number | null; signal: string | null };
