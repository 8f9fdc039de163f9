import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';

/**
 * The system calls Node lacks, for vsock addresses and peer credentials only: whoever needs neither needs no native
 * code. An optional peer dependency, so it is loaded when first used.
 */
export async function loadPosix(what: string): Promise<typeof import('@kata-mock/posix')> {
  try {
    return await import('@kata-mock/posix');
  } catch (error) {
    const message = `${what} need the package @kata-mock/posix, which does not load: install it beside ttrpc-ts`;
    throw new TtrpcError(Code.FAILED_PRECONDITION, message, { cause: error });
  }
}
