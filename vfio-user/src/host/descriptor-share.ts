import { getrlimit } from '@kata-mock/posix';

/** What a process with functions needs itself: its runtime, control sockets and their clients, recordings. */
const PROCESS_DESCRIPTORS = 64;
/** What a function needs beside what its client leaves there: its thread, sockets, a message's descriptors under way. */
const FUNCTION_DESCRIPTORS = 24;

export interface DescriptorShare {
  /** Descriptors that the client of one function may leave there. */
  each: number;
  /** Of the whole process; Infinity for no limit. */
  processLimit: number;
}

/**
 * Divides the descriptors this process may have, `most` where its limit is to be lowered to that, so that no function's
 * client can use up those of another.
 */
export function descriptorShare(functions: number, most = Number.POSITIVE_INFINITY): DescriptorShare {
  const { soft } = getrlimit('nofile');
  const processLimit = Math.min(most, soft === 'infinity' ? Number.POSITIVE_INFINITY : soft);
  const each = Math.floor((processLimit - PROCESS_DESCRIPTORS) / functions) - FUNCTION_DESCRIPTORS;
  return { each: Math.max(0, each), processLimit };
}
