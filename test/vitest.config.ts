import os from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

const conditions = ['@kata-mock/source', 'node', 'import', 'default'];

/** Tests that boot real VMs or look at what is installed. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    root: path.resolve(import.meta.dirname, '..'),
    include: ['test/**/*.test.ts'],
    // Two VMs on two cores: a guest has one CPU and spends much of its boot waiting for one thread.
    maxWorkers: os.availableParallelism() < 2 ? 1 : 2,
    // A boot under emulation on a loaded machine; the tests themselves look at the time that counts.
    testTimeout: 180_000,
    // Emulated guests on a shared machine miss a time limit now and then; vitest says what it tried again.
    retry: 1,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
  },
});
