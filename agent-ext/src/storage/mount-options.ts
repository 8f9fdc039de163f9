import {
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
} from '@kata-mock/posix';

/** Words of fstab that are flags; `set` false takes the flag away. */
const FLAGS: Readonly<Record<string, { flag: number; set: boolean }>> = {
  ro: { flag: MS_RDONLY, set: true },
  rw: { flag: MS_RDONLY, set: false },
  nosuid: { flag: MS_NOSUID, set: true },
  suid: { flag: MS_NOSUID, set: false },
  nodev: { flag: MS_NODEV, set: true },
  dev: { flag: MS_NODEV, set: false },
  noexec: { flag: MS_NOEXEC, set: true },
  exec: { flag: MS_NOEXEC, set: false },
  sync: { flag: MS_SYNCHRONOUS, set: true },
  async: { flag: MS_SYNCHRONOUS, set: false },
  noatime: { flag: MS_NOATIME, set: true },
  atime: { flag: MS_NOATIME, set: false },
  nodiratime: { flag: MS_NODIRATIME, set: true },
  relatime: { flag: MS_RELATIME, set: true },
  strictatime: { flag: MS_STRICTATIME, set: true },
  bind: { flag: MS_BIND, set: true },
  rbind: { flag: MS_BIND | MS_REC, set: true },
  defaults: { flag: 0, set: true },
};

/** Options split into what mount(2) takes as flags and as the file system's own text. */
export interface MountOptions {
  readonly flags: number;
  readonly data: string;
}

export function parseMountOptions(options: readonly string[]): MountOptions {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    const known = FLAGS[option];
    if (!known) data.push(option);
    else if (known.set) flags |= known.flag;
    else flags &= ~known.flag;
  }
  return { flags, data: data.join(',') };
}
