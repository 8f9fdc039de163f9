import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Spec } from '@kata-mock/oci-spec';
import { AgentError } from '../errors.ts';
import { atPlace, checkBelow, openBelow } from '../storage/safe-path.ts';

/** Kubelets say by it where in the container the message is to be. */
const ANNOTATION = 'io.kubernetes.container.terminationMessagePath';
/** Kubernetes takes no more of a termination message. */
const MOST_BYTES = 4096;

/** File of the guest under a container's termination message, by its annotation and mounts. */
export function terminationLogOf({ annotations, mounts }: Spec): string | undefined {
  const destination = annotations?.[ANNOTATION];
  return destination === undefined ? undefined : mounts?.find((mount) => mount.destination === destination)?.source;
}

/** The message; empty when the container wrote none. The file is the container's, so it may be anything. */
export async function readTerminationLog(base: string, file: string): Promise<string> {
  checkBelow(base, file, 'source of the termination log');
  try {
    return await atPlace(openBelow(base, file), readText);
  } catch (error) {
    if (error instanceof AgentError && error.code === 'NOT_FOUND') return '';
    throw error;
  }

  async function readText(place: string): Promise<string> {
    if (!(await stat(place)).isFile()) {
      throw new AgentError('FAILED_PRECONDITION', `termination log "${file}" is no file`);
    }
    const log = await open(place, constants.O_RDONLY);
    try {
      const { buffer, bytesRead } = await log.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await log.close();
    }
  }
}
