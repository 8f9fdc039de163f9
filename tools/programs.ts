import type { BuildOptions } from 'esbuild';

/** The programs this project ships, where each starts, and whose workers it may spawn. */
export interface Program {
  /** Folder below dist/. */
  name: string;
  /** Source file, from the root. */
  entry: string;
  /** Workspaces whose `*.worker.ts` files are bundled beside it. */
  packages: string[];
  /** Source file of the same program as a start-up snapshot; see {@link snapshotOptions}. */
  snapshot?: string;
  /** Emits CommonJS: a sooner start, for a program without splitting. */
  commonJs?: true;
  /** What this program wants of esbuild beside what all get. */
  options?: Pick<BuildOptions, 'splitting' | 'minify'>;
}

export const programs: Program[] = [
  {
    name: 'hook',
    entry: 'runtime-hook/src/wrapper/main.ts',
    packages: ['vfio-user'],
    // Kata waits for it at each pod's start: it loads what it needs and no more.
    options: { splitting: true, minify: true },
  },
  {
    name: 'cdi',
    entry: 'cdi/src/cli/main.ts',
    packages: [],
  },
  {
    name: 'kata-mock',
    entry: 'runtime-hook/src/cli/main.ts',
    packages: ['runtime-hook', 'posix', 'ttrpc'],
  },
  {
    name: 'mock-accel-server',
    entry: 'vfio-user/src/cli/mock-accel-server.ts',
    packages: ['vfio-user'],
    commonJs: true,
  },
  {
    name: 'agent',
    entry: 'agent-ext/src/main.ts',
    packages: ['posix', 'agent-ext'],
    snapshot: 'agent-ext/src/snapshot/main.ts',
    // A guest under emulation feels every byte it parses.
    options: { splitting: true, minify: true },
  },
  { name: 'ttrpc', entry: 'ttrpc/src/cli/main.ts', packages: ['posix'] },
  {
    name: 'vfio-user-proxy',
    entry: 'vfio-user/src/cli/vfio-user-proxy.ts',
    packages: [],
    commonJs: true,
  },
];
