import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import type { Host } from '../host/host.ts';
import type { MockAccelOptions } from '../mock-accel/options.ts';
import { profileOptions } from './profiles.ts';

/**
 * Reloads a function whenever its profile file changes. The directory is watched, because editors replace files. A file
 * that cannot be used changes nothing and is told to `refused`.
 */
export function watchProfile(
  host: Host,
  id: string,
  file: { path: string; name?: string },
  options: {
    /** Adds to the profile what it is used together with. Default: nothing. */
    complete?: (profile: MockAccelOptions) => MockAccelOptions;
    reloaded?: () => void;
    refused: (error: Error) => void;
  },
): FSWatcher {
  const base = path.basename(file.path);
  const watcher = watch(path.dirname(path.resolve(file.path)), { persistent: false }, (_event, name) => {
    if (name !== base) return;
    void (async () => {
      const profile = profileOptions(file.path, file.name);
      await host.request(id, 'reload', { options: options.complete?.(profile) ?? profile });
    })().then(options.reloaded, options.refused);
  });
  return watcher;
}
