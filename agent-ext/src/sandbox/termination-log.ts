import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Spec } from '@kata-mock/oci-spec';
import { AgentError } from '../errors.ts';
import { checkBelow, openBelow } from '../storage/safe-path.ts';

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
export function readTerminationLog(base: string, file: string): string {
  checkBelow(base, file, 'source of the termination log');
  let place: number;
  try {
    place = openBelow(base, file);
  } catch (error) {
    if (error instanceof AgentError && error.code === 'NOT_FOUND') return '';
    throw error;
  }
  try {
    if (!fstatSync(place).isFile()) throw new AgentError('FAILED_PRECONDITION', `termination log "${file}" is no file`);
    const fd = openSync(`/proc/self/fd/${place}`, constants.O_RDONLY);
    try {
      const bytes = Buffer.alloc(MOST_BYTES);
      return bytes.subarray(0, readSync(fd, bytes)).toString('utf8');
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(place);
  }
}
