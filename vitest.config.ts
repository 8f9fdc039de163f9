import { defineConfig } from 'vitest/config';

const conditions = ['@kata-mock/source', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['*/src/**/*.test.ts', 'tools/**/*.test.ts'],
    testTimeout: 10_000,
  },
});
