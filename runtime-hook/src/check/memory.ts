import { KataMockError } from '../errors.ts';
import { checkSharedMemory } from '../vm/run/memory.ts';
import type { Finding } from './finding.ts';

const defaultVmMiB = 512;

export async function checkMemory(): Promise<Finding> {
  const name = '/dev/shm';
  try {
    checkSharedMemory(defaultVmMiB);
    return { name, result: 'ok', detail: `room for a VM of ${defaultVmMiB} MiB` };
  } catch (error) {
    if (!(error instanceof KataMockError)) throw error;
    return { name, result: 'missing', detail: error.message, ...(error.hint !== undefined && { mend: error.hint }) };
  }
}
