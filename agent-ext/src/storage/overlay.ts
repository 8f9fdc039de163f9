import { closeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../errors.ts';
import { mountAt } from './mount-at.ts';
import { parseMountOptions } from './mount-options.ts';
import { checkBelow, openBelow, openDirectoryBelow, placeOf } from './safe-path.ts';
import type { StorageContext, StorageDriver, Unmount } from './storage.ts';

/** What a layer is for. Lower ones come as a list. */
type Layer = 'lowerdir' | 'upperdir' | 'workdir';
const LAYERS: readonly string[] = ['lowerdir', 'upperdir', 'workdir'] satisfies Layer[];
/** What names no path, besides words for mount(2): one that is not known might name one, or undo what was checked. */
const HARMLESS =
  /^(?:(?:index|xino|metacopy|redirect_dir|nfs_export|uuid|verity)=[a-z]+|volatile|userxattr|default_permissions)$/;
/** Kata's own: the agent shall find a place for what is written. */
const WRITABLE = 'io.katacontainers.fs-opt.overlay-rw';

/**
 * Layers of an image. Every layer must be below the base and is reached without following links; upper and work
 * directories are made.
 */
export const overlay: StorageDriver = {
  names: ['overlayfs'],
  mount: async (context, { mountPoint, options }) => {
    const { layers, rest, writable } = parseLayers(options);
    const directories = [...layers].flatMap(([key, list]) => list.map((directory) => ({ key, directory })));
    const seen = [mountPoint];
    for (const { key, directory } of directories) {
      checkBelow(context.base, directory, key);
      refuseNested(seen, directory);
      seen.push(directory);
    }
    if (!layers.has('lowerdir')) {
      throw new AgentError('INVALID_ARGUMENT', `overlay for "${mountPoint}" has no lowerdir option`);
    }
    const fds: number[] = [];
    try {
      // The kernel gets descriptors: a name could lead elsewhere by a link, and its ":" or "\" would mean something.
      const open = async (key: Layer, list: readonly string[]) => {
        const places: string[] = [];
        for (const directory of list) {
          const fd = await (key === 'lowerdir' ? openBelow : openDirectoryBelow)(context.base, directory);
          fds.push(fd);
          places.push(placeOf(fd));
        }
        return `${key}=${places.join(':')}`;
      };
      const opened: string[] = [];
      for (const [key, list] of layers) opened.push(await open(key, list));
      const mount = (more: readonly string[]) =>
        mountAt(context, { source: 'overlay', fstype: 'overlay', mountPoint, options: [...rest, ...opened, ...more] });
      return writable ? await withOwnUpper(context, mount) : await mount([]);
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  },
};

interface Parsed {
  readonly layers: ReadonlyMap<Layer, readonly string[]>;
  readonly rest: readonly string[];
  readonly writable: boolean;
}

function parseLayers(options: readonly string[]): Parsed {
  const layers = new Map<Layer, string[]>();
  const rest: string[] = [];
  const refuse = (option: string, why: string) => {
    throw new AgentError('INVALID_ARGUMENT', `invalid overlay option ${JSON.stringify(option)}: ${why}`);
  };
  for (const option of options) {
    // The kernel splits at commas, and a backslash keeps it from splitting.
    if (/[,\\]/.test(option)) refuse(option, 'expected no comma and no backslash');
    const [key, value] = splitOnce(option);
    if (LAYERS.includes(key)) {
      if (layers.has(key as Layer)) refuse(option, `there is a ${key} already`);
      layers.set(key as Layer, key === 'lowerdir' ? value.split(':') : [value]);
    } else if (HARMLESS.test(option) || parseMountOptions([option]).data === '') rest.push(option);
    else if (option !== WRITABLE) refuse(option, 'this agent does not know it');
  }
  const writable = options.includes(WRITABLE);
  if (writable && (layers.has('upperdir') || layers.has('workdir')))
    refuse(WRITABLE, 'there is an upperdir or workdir');
  return { layers, rest, writable };
}

function splitOnce(option: string): [string, string] {
  const at = option.indexOf('=');
  return at === -1 ? [option, ''] : [option.slice(0, at), option.slice(at + 1)];
}

/** What is written goes to the guest's memory, and goes away with the mount. */
async function withOwnUpper(
  { state }: StorageContext,
  mount: (options: readonly string[]) => Promise<Unmount>,
): Promise<Unmount> {
  const directory = await mkdtemp(path.join(state, 'overlay-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const [upper, work] = ['upper', 'work'].map((name) => path.join(directory, name)) as [string, string];
    for (const place of [upper, work]) closeSync(await openDirectoryBelow(state, place));
    const unmount = await mount([`upperdir=${upper}`, `workdir=${work}`]);
    return async () => {
      await unmount();
      await remove();
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Layers that contain each other make the kernel walk in circles, or refuse with an error that names nothing. */
function refuseNested(layers: readonly string[], directory: string): void {
  const other = layers.find(
    (layer) => `${layer}/`.startsWith(`${directory}/`) || `${directory}/`.startsWith(`${layer}/`),
  );
  if (other === undefined) return;
  throw new AgentError('INVALID_ARGUMENT', `overlay of "${directory}" and "${other}": one contains the other`);
}
