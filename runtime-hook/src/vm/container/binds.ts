import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { Mount } from '@kata-mock/oci-spec';
import { KataMockError } from '../../errors.ts';

/** A file or directory of the host that a container mounts. */
export interface SharedBind {
  destination: string;
  /** On the host. */
  source: string;
  /** Below the share, Kata's form: `<container>-<16 hex>-<basename>`. */
  name: string;
  readonly: boolean;
  recursive: boolean;
}

/** Bind mounts of a spec that need sharing; the others (proc, tmpfs, /dev/shm, …) the guest makes itself. */
export function sharedBinds(containerId: string, mounts: Mount[], bundle: string | undefined): SharedBind[] {
  return mounts.filter(isHostBind).map((mount) => {
    const source = path.resolve(bundle ?? '/', mount.source ?? '');
    const stat = statSync(source, { throwIfNoEntry: false });
    if (!stat) {
      throw new KataMockError('BAD_INPUT', `mount of ${mount.destination}: there is no ${source} on this host`);
    }
    if (!stat.isFile() && !stat.isDirectory()) {
      throw new KataMockError('BAD_INPUT', `mount of ${mount.destination}: ${source} is neither file nor directory`, {
        hint: 'a VM cannot share device nodes or sockets; for mock devices use linux.devices or CDI',
      });
    }
    const options = mount.options ?? [];
    return {
      destination: mount.destination,
      source,
      name: `${containerId}-${randomBytes(8).toString('hex')}-${shareable(path.basename(source))}`,
      readonly: options.includes('ro'),
      recursive: options.includes('rbind'),
    };
  });
}

function isHostBind(mount: Mount): boolean {
  if (mount.destination === '/dev/shm') return false;
  return mount.type === 'bind' || (mount.options ?? []).some((option) => option === 'bind' || option === 'rbind');
}

/** A name of at most 100 plain characters. */
function shareable(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 100) || 'root';
}
