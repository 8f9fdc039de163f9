import type { CreateContainerRequest } from '@kata-mock/contracts';
import { AgentError } from '../errors.ts';

/** More than any honest request has; each is some memory and time per entry. */
const MOST = {
  devices: 1024,
  storages: 1024,
  options: 1024,
  mounts: 4096,
  env: 16_384,
  rules: 8192,
  annotations: 4096,
};

/** Refuses requests whose lists would cost more than they can be worth. */
export function checkSizes(request: CreateContainerRequest): void {
  const { OCI: spec } = request;
  const sizes: [keyof typeof MOST, number | undefined][] = [
    ['devices', Math.max(request.devices.length, spec?.Linux?.Devices.length ?? 0)],
    ['storages', request.storages.length],
    ['options', mostOptions([request.devices, request.storages])],
    ['mounts', spec?.Mounts.length],
    ['env', spec?.Process?.Env.length],
    ['rules', spec?.Linux?.Resources?.Devices.length],
    ['annotations', spec && Object.keys(spec.Annotations).length],
  ];
  for (const [what, size = 0] of sizes) {
    if (size > MOST[what]) {
      throw new AgentError('INVALID_ARGUMENT', `the request has ${size} ${what}, at most ${MOST[what]} are taken`);
    }
  }
}

function mostOptions(lists: readonly (readonly { readonly options: readonly string[] }[])[]): number {
  let most = 0;
  for (const list of lists) for (const { options } of list) most = Math.max(most, options.length);
  return most;
}
