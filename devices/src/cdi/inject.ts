import { statSync } from 'node:fs';
import type { SpecEditor } from '@kata-mock/oci-spec';
import { type Cache, CdiError, type Unresolved } from 'cdi-spec';
import { DeviceError } from '../errors.ts';
import { nextChange } from './watch-directory.ts';

/** A spec file may appear by a way no watch reports, so look at least this often. */
const LOOK_AGAIN_MS = 1_000;

/** A spec file that has not changed for this long is what its writer meant. */
const SETTLED_MS = 1_000;

export interface InjectOptions {
  /** Only this directory counts in a guest. */
  readonly specDirectory: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Injects CDI devices. A kind that is not there yet is waited for, since drivers write their specs late; a kind that is
 * there without the device, or a file that is broken, fails at once: waiting would not mend it.
 */
export async function injectCdi(
  cache: Cache,
  editor: SpecEditor,
  names: readonly string[],
  options: InjectOptions,
): Promise<void> {
  if (names.length === 0) return;
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const change = nextChange(options.specDirectory, options.signal);
    try {
      const failure = await tryInject(cache, editor, names);
      if (!failure) return;
      const left = deadline - performance.now();
      if (!isWorthWaiting(failure)) throw unresolved(failure);
      if (left <= 0) throw timedOut(failure, options.timeoutMs);
      await change.within(Math.min(LOOK_AGAIN_MS, left));
    } finally {
      change.close();
    }
    options.signal?.throwIfAborted();
  }
}

async function tryInject(cache: Cache, editor: SpecEditor, names: readonly string[]): Promise<CdiError | undefined> {
  try {
    await cache.refresh();
    editor.transaction(() => cache.injectDevices(editor, [...names]));
    return undefined;
  } catch (error) {
    if (error instanceof CdiError) return error;
    throw error;
  }
}

function isWorthWaiting(error: CdiError): boolean {
  const mayMend = ({ reason, causes }: Unresolved) =>
    reason === 'kind-absent' || (reason === 'file-invalid' && causes.some(({ file }) => isBeingWritten(file)));
  return error.code === 'UNRESOLVED' && error.unresolved.every(mayMend);
}

/** A file that was touched just now may be half written by a program that does not rename. */
function isBeingWritten(file: string | undefined): boolean {
  const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs < SETTLED_MS;
}

function unresolved(error: CdiError): DeviceError {
  return new DeviceError('CDI_UNRESOLVED', explain(error), { cause: error });
}

function timedOut(error: CdiError, timeoutMs: number): DeviceError {
  const message = `failed to inject devices after CDI timeout of ${timeoutMs / 1000} seconds: ${explain(error)}`;
  return new DeviceError('CDI_TIMEOUT', message, { cause: error });
}

function explain(error: CdiError): string {
  return error.unresolved.length === 0 ? error.message : error.unresolved.map(explainOne).join('; ');
}

function explainOne({ device, reason, kinds, devices, causes }: Unresolved): string {
  const parts = [`CDI device ${device}: ${reason}`];
  if (devices.length > 0) parts.push(`devices of that kind: ${devices.join(', ')}`);
  parts.push(`kinds: ${kinds.join(', ') || 'none'}`);
  if (causes.length > 0) parts.push(`files that failed: ${causes.map((cause) => cause.message).join('; ')}`);
  return parts.join(', ');
}
