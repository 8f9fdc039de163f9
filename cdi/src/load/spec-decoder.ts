import type { CdiSpec } from '../types.ts';
import { Context, type Decoder, flag, int32, int64, list, struct, text, textMap, uint32 } from './decode.ts';

function editsDecoder(proposals: boolean): Decoder {
  return struct({
    env: list(text),
    deviceNodes: list(
      struct({
        path: text,
        hostPath: text,
        type: text,
        major: int64,
        minor: int64,
        fileMode: uint32,
        permissions: text,
        uid: uint32,
        gid: uint32,
      }),
    ),
    netDevices: list(struct({ hostInterfaceName: text, name: text })),
    hooks: list(struct({ hookName: text, path: text, args: list(text), env: list(text), timeout: int32 })),
    mounts: list(struct({ hostPath: text, containerPath: text, options: list(text), type: text })),
    intelRdt: struct({
      closID: text,
      l3CacheSchema: text,
      memBwSchema: text,
      schemata: list(text),
      enableMonitoring: flag,
    }),
    additionalGids: list(uint32),
    ...(proposals && {
      deviceCgroupRules: list(struct({ type: text, major: int64, minor: int64, permissions: text })),
    }),
  });
}

function specDecoder(proposals: boolean): Decoder {
  const containerEdits = editsDecoder(proposals);
  return struct(
    {
      cdiVersion: text,
      kind: text,
      annotations: textMap,
      devices: list(struct({ name: text, annotations: textMap, containerEdits }, ['name', 'containerEdits'])),
      containerEdits,
    },
    ['cdiVersion', 'kind', 'devices'],
  );
}

const released = specDecoder(false);
const proposed = specDecoder(true);

/**
 * Turns a parsed file into a spec, in place: members known, types right, text where text belongs. The rules that go
 * beyond types are in validate.ts.
 * @throws {CdiError} INVALID with the JSON path
 */
export function decodeSpec(value: unknown, proposals: boolean, context = new Context()): CdiSpec {
  if (value === null || value === undefined) context.fail('the file is empty: no CDI spec in it');
  return (proposals ? proposed : released)(value, context) as CdiSpec;
}
