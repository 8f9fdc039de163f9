import type { CdiSpec, ContainerEdits } from '../types.ts';

/** All container edits of a spec with the JSON path of each. */
export function* eachEdits(spec: CdiSpec): Generator<{ edits: ContainerEdits; path: string; device?: string }> {
  if (spec.containerEdits) yield { edits: spec.containerEdits, path: '$.containerEdits' };
  for (const [index, device] of spec.devices.entries()) {
    yield { edits: device.containerEdits, path: `$.devices[${index}].containerEdits`, device: device.name };
  }
}
