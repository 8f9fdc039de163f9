import path from 'node:path';

/** Root of the clone. */
export const root = path.resolve(import.meta.dirname, '../..');
/** What set-up and tests make; not under version control. */
export const build = path.join(root, 'build');
/** A launcher of bin/. */
export const program = (name: 'kata-mock' | 'mock-accel-server' | 'vfio-user-proxy' | 'cdi' | 'ttrpc') =>
  path.join(root, 'bin', name);
