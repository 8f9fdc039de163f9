/** What tests and tools may use of set-up. */
export { type Artefacts, readArtefacts } from './artefacts.ts';
export { hashFile } from './hash.ts';
export { imageWithAgent, imageWithSystemd } from './variant.ts';
