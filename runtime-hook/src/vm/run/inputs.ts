import path from 'node:path';
import { parseAnnotations } from 'cdi-spec';
import { KataMockError } from '../../errors.ts';
import { parseDeviceSpec } from '../../inventory/device-spec.ts';
import { devicesAnnotation } from '../../inventory/sources.ts';
import { type ContainerInput, directory, readBundle } from '../spec/bundle.ts';
import { defaultSpec } from '../spec/default-spec.ts';
import type { RunOptions } from './run-options.ts';

/** The container's spec and root: the bundle's, or a plain one on `--rootfs` or the busybox root of set-up. */
export function containerInput(options: Pick<RunOptions, 'bundle' | 'rootfs'>, busybox: () => string): ContainerInput {
  if (options.bundle !== undefined) return readBundle(options.bundle);
  const rootfs = options.rootfs === undefined ? busybox() : directory(path.resolve(options.rootfs), '--rootfs');
  return { spec: defaultSpec(['/bin/sh']), rootfs };
}

/**
 * The devices to plug, as SPEC texts: those of the command line; without a bundle and without annotations that ask
 * for some, one plain device. Empty leaves it to the annotations and the hook's configuration.
 */
export function requestedDevices(options: Pick<RunOptions, 'device' | 'bundle' | 'annotation'>): string[] {
  for (const text of options.device) parseDeviceSpec(text);
  if (options.device.length > 0 || options.bundle !== undefined) return options.device;
  const annotations = Object.fromEntries(
    options.annotation.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  );
  const asked = devicesAnnotation in annotations || parseCdi(annotations).length > 0;
  return asked ? [] : ['mock-accel'];
}

/** A malformed CDI annotation is the user's mistake; it is told before anything starts. */
export function parseCdi(annotations: Record<string, string>): string[] {
  try {
    return parseAnnotations(annotations).devices;
  } catch (cause) {
    throw new KataMockError('BAD_INPUT', `a CDI annotation is malformed: ${(cause as Error).message}`, { cause });
  }
}
