/** The programs this project ships, where each starts, and whose workers it may spawn. */
export interface Program {
  /** Folder below dist/. */
  name: string;
  /** Source file, from the root. */
  entry: string;
  /** Workspaces whose `*.worker.ts` files are bundled beside it. */
  packages: string[];
}

export const programs: Program[] = [
  {
    name: 'hook',
    entry: 'runtime-hook/src/wrapper/main.ts',
    packages: ['vfio-user'],
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
  },
  {
    name: 'agent',
    entry: 'agent-ext/src/main.ts',
    packages: ['posix', 'agent-ext'],
  },
  { name: 'ttrpc', entry: 'ttrpc/src/cli/main.ts', packages: ['posix'] },
];
