/**
 * Stands for node:module in the snapshot's bundle, where it serves one purpose: koffi is loaded from where the image keeps
 * it. Node's own way there costs an emulated guest a fifth of a second, for looking in places and compiling the looker.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export function createRequire(url: string): (name: string) => unknown {
  return (name) => {
    const loaded: { exports: unknown } = { exports: {} };
    process.dlopen(loaded, path.join(path.dirname(fileURLToPath(url)), 'node_modules', name, `${name}.node`));
    return loaded.exports;
  };
}
