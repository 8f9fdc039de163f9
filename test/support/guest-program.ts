import type { BuildOptions } from 'esbuild';

/** How a program of the tests is bundled for the guest's Node, which finds koffi beside it. */
export const guestProgram = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  conditions: ['@kata-mock/source'],
  external: ['koffi'],
  logLevel: 'warning',
} satisfies BuildOptions;
