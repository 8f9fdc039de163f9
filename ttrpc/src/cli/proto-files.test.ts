import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type DescFile, type DescMessage, toJson } from '@bufbuild/protobuf';
import { DescriptorProtoSchema, EnumDescriptorProtoSchema, ServiceDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { AgentService, Health, Hypervisor } from '@kata-mock/contracts';
import { describe, expect, test } from 'vitest';
import { file_containerd_task_v2 } from '../../examples/gen/containerd/task_v2_pb.ts';
import { file_nri_nri } from '../../examples/gen/nri/nri_pb.ts';
import { file_flat } from '../testing/gen/flat_pb.ts';
import { tempFolder } from '../testing/temp.ts';
import { loadDescriptors } from './descriptors.ts';

const here = (file: string) => path.resolve(import.meta.dirname, '../..', file);

const files: [name: string, folder: string, file: string, compiled: DescFile][] = [
  ['the Kata agent', '../contracts/proto', 'agent.proto', AgentService.file],
  ['health', '../contracts/proto', 'health.proto', Health.file],
  ['the remote hypervisor', '../contracts/proto', 'remote.proto', Hypervisor.file],
  ['containerd tasks', 'examples/proto', 'containerd/task_v2.proto', file_containerd_task_v2],
  ['NRI', 'examples/proto', 'nri/nri.proto', file_nri_nri],
  ['a flat message', 'src/testing/proto', 'flat.proto', file_flat],
];

describe('a .proto file gives the descriptors that buf compiles from it', () => {
  test.for(files)('%s', ([, folder, file, compiled]) => {
    const registry = loadDescriptors({
      proto: [here(`${folder}/${file}`)],
      importPath: [here(folder)],
      descriptors: [],
    });
    const everyFile = [compiled, ...compiled.dependencies];
    for (const message of everyFile.flatMap((one) => one.messages)) {
      expect(messageJson(registry.getMessage(message.typeName)!)).toEqual(messageJson(message));
    }
    for (const one of everyFile.flatMap((each) => each.enums)) {
      const found = registry.getEnum(one.typeName)!;
      expect(toJson(EnumDescriptorProtoSchema, found.proto)).toEqual(toJson(EnumDescriptorProtoSchema, one.proto));
    }
    for (const service of compiled.services) {
      const found = registry.getService(service.typeName)!;
      expect(toJson(ServiceDescriptorProtoSchema, found.proto)).toEqual(
        toJson(ServiceDescriptorProtoSchema, service.proto),
      );
    }
  });
});

/** Without what has no effect here: reserved numbers, and the order of types inside the message. */
function messageJson(message: DescMessage): object {
  const {
    reservedRange: _,
    nestedType,
    enumType,
    ...rest
  } = toJson(DescriptorProtoSchema, message.proto) as Record<string, unknown>;
  const sorted = (types: unknown) =>
    [...((types ?? []) as { name: string }[])].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...rest, nestedType: sorted(nestedType), enumType: sorted(enumType) };
}

describe('a .proto file is refused with the reason', () => {
  const proto3 = 'syntax = "proto3"; package p;';
  const bad: [name: string, text: string, says: RegExp][] = [
    ['that does not parse', `${proto3} message {`, /x\.proto: illegal type name .* line 1/],
    [
      'that is not proto3',
      'syntax = "proto2"; package p; message M { required int32 a = 1; }',
      /not proto3; make a descriptor set/,
    ],
    ['that says no syntax', 'package p; message M {}', /not proto3/],
    [
      'whose import is nowhere',
      `${proto3} import "gone.proto";`,
      /x\.proto imports gone\.proto, which is in none of .*: add -I/,
    ],
    ['whose types are not defined', `${proto3} message M { Gone gone = 1; }`, /Gone/],
  ];
  test.for(bad)('%s', ([, text, says]) => {
    const file = path.join(tempFolder(), 'x.proto');
    writeFileSync(file, text);
    expect(() => loadDescriptors({ proto: [file], importPath: [], descriptors: [] })).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(says) }),
    );
  });
});

test('oneofs, nested types, optional fields and imports of imports are found', () => {
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'a'));
  writeFileSync(
    path.join(folder, 'a/deep.proto'),
    'syntax = "proto3"; package a; message Deep { optional int32 n = 1; }',
  );
  writeFileSync(
    path.join(folder, 'a/mid.proto'),
    'syntax = "proto3"; package a; import "a/deep.proto"; message Mid { Deep deep = 1; }',
  );
  writeFileSync(
    path.join(folder, 'top.proto'),
    `syntax = "proto3"; package b; import "a/mid.proto"; import "google/protobuf/timestamp.proto";
     import "google/rpc/status.proto"; import "google/protobuf/struct.proto";
     message Top {
       message Inner { repeated string names = 1; }
       enum Kind { NONE = 0; }
       oneof choice { Inner inner = 1; google.protobuf.Timestamp at = 2; }
       map<int32, a.Mid> mids = 3;
       Kind kind = 4;
       google.rpc.Status status = 5;
       google.protobuf.NullValue nothing = 6;
     }
     service S { rpc Do(Top) returns (stream a.Mid); }`,
  );
  const registry = loadDescriptors({ proto: [path.join(folder, 'top.proto')], importPath: [folder], descriptors: [] });
  const top = registry.getMessage('b.Top')!;
  expect(top.oneofs.map(({ name, fields }) => [name, fields.map((field) => field.name)])).toEqual([
    ['choice', ['inner', 'at']],
  ]);
  expect(top.fields.map((field) => [field.name, field.fieldKind])).toEqual([
    ['inner', 'message'],
    ['at', 'message'],
    ['mids', 'map'],
    ['kind', 'enum'],
    ['status', 'message'],
    ['nothing', 'enum'],
  ]);
  expect(registry.getService('b.S')!.methods[0]!.methodKind).toBe('server_streaming');
  expect(registry.getMessage('a.Deep')!.fields[0]!.proto.proto3Optional).toBe(true);
});
