import path from 'node:path';
import { defineConfig } from 'vitest/config';

const conditions = ['@kata-mock/source', 'node', 'import', 'default'];

/** Tests that boot real VMs or look at what is installed: one at a time, since a machine may have two cores. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    root: path.resolve(import.meta.dirname, '..'),
    include: ['test/**/*.test.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    // A boot under emulation on a loaded machine; the tests themselves look at the time that counts.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
  },
});
