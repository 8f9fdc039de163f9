import { artefactsPath, loadArtefacts } from '../artefacts/artefacts.ts';
import { KataMockError } from '../errors.ts';
import type { Finding } from './finding.ts';

export async function checkArtefacts(): Promise<Finding> {
  const name = 'artefacts';
  try {
    loadArtefacts();
    return { name, result: 'ok', detail: artefactsPath() };
  } catch (error) {
    if (!(error instanceof KataMockError)) throw error;
    return { name, result: 'missing', detail: error.message, ...(error.hint !== undefined && { mend: error.hint }) };
  }
}
