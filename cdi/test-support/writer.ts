/** Rewrites one spec many times: `writer.ts DIRECTORY ROUNDS`. Every version says in all its places which one it is. */
import { writeSpec } from '../src/index.ts';
import { versionedSpec } from './versioned-spec.ts';

const [directory = '', rounds = '0'] = process.argv.slice(2);
for (let round = 1; round <= Number(rounds); round++) {
  // Short and long in turn, so that a torn read would find the end of a longer one.
  writeSpec(directory, 'spec.json', versionedSpec(round), { durable: false });
}
