import {
  MS_BIND,
  MS_DIRSYNC,
  MS_I_VERSION,
  MS_LAZYTIME,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SILENT,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
} from '@kata-mock/posix';

/** Words of fstab that are flags: those that set one, and those that take it away. */
const SET: Readonly<Record<string, number>> = {
  ro: MS_RDONLY,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
  nosymfollow: MS_NOSYMFOLLOW,
  sync: MS_SYNCHRONOUS,
  dirsync: MS_DIRSYNC,
  noatime: MS_NOATIME,
  nodiratime: MS_NODIRATIME,
  relatime: MS_RELATIME,
  strictatime: MS_STRICTATIME,
  lazytime: MS_LAZYTIME,
  iversion: MS_I_VERSION,
  silent: MS_SILENT,
  bind: MS_BIND,
  rbind: MS_BIND | MS_REC,
  remount: MS_REMOUNT,
  defaults: 0,
};
const TAKEN: Readonly<Record<string, number>> = {
  rw: MS_RDONLY,
  suid: MS_NOSUID,
  dev: MS_NODEV,
  exec: MS_NOEXEC,
  symfollow: MS_NOSYMFOLLOW,
  async: MS_SYNCHRONOUS,
  atime: MS_NOATIME,
  diratime: MS_NODIRATIME,
  norelatime: MS_RELATIME,
  nostrictatime: MS_STRICTATIME,
  nolazytime: MS_LAZYTIME,
  noiversion: MS_I_VERSION,
  loud: MS_SILENT,
};
/** With an r in front for all mounts below as well. */
const PROPAGATION: Readonly<Record<string, number>> = {
  private: MS_PRIVATE,
  shared: MS_SHARED,
  slave: MS_SLAVE,
  unbindable: MS_UNBINDABLE,
};
const propagations = new Map<string, number>(
  Object.entries(PROPAGATION).flatMap(([name, flag]): [string, number][] => [
    [name, flag],
    [`r${name}`, flag | MS_REC],
  ]),
);

/** Options split into what mount(2) takes as flags and as the file system's own text. */
export interface MountOptions {
  readonly flags: number;
  readonly data: string;
  /** Flags of one more call, for which the kernel takes no others; 0 for none. */
  readonly propagation: number;
}

/** @param before flags that hold unless an option takes them away: those of a mount that is changed */
export function parseMountOptions(options: readonly string[], before = 0): MountOptions {
  let flags = before;
  let propagation = 0;
  const data: string[] = [];
  for (const option of options) {
    if (Object.hasOwn(SET, option)) flags |= SET[option] ?? 0;
    else if (Object.hasOwn(TAKEN, option)) flags &= ~(TAKEN[option] ?? 0);
    else if (propagations.has(option)) propagation = propagations.get(option) ?? 0;
    else data.push(option);
  }
  return { flags, data: data.join(','), propagation };
}
