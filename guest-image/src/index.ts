/** What tests and tools may use of set-up. */
export { type Artefacts, readArtefacts } from './artefacts.ts';
export { imageWithAgent } from './variant.ts';
