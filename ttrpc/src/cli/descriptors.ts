import { readFileSync } from 'node:fs';
import {
  create,
  createFileRegistry,
  createRegistry,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
  type Registry,
} from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import { file_google_rpc_status } from '../gen/google/rpc/status_pb.ts';
import { file_ttrpc_test_v1_echo } from '../gen/ttrpc/test/v1/echo_pb.ts';
import { loadProtoFiles } from './proto-files.ts';
import { UsageError } from './usage.ts';

const BUILT_IN = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  file_google_rpc_status,
  file_ttrpc_test_v1_echo,
];

export interface DescriptorSources {
  /** .proto files. */
  proto: readonly string[];
  /** Folders that imports are looked for in. */
  importPath: readonly string[];
  /** Files with an encoded google.protobuf.FileDescriptorSet, imports included. */
  descriptors: readonly string[];
}

/** Every type and service that the command line names, beside the echo service and google's well-known types. */
export function loadDescriptors({ proto, importPath, descriptors }: DescriptorSources): Registry {
  const wellKnown = builtIn();
  const registries: Registry[] = [wellKnown];
  for (const file of descriptors) registries.push(descriptorSet(file));
  if (proto.length > 0) registries.push(loadProtoFiles(proto, importPath, wellKnown));
  return createRegistry(...registries);
}

function builtIn(): FileRegistry {
  const files = new Map(BUILT_IN.map((file) => [file.proto.name, file]));
  const umbrella = create(FileDescriptorProtoSchema, {
    name: 'ttrpc-built-in.proto',
    syntax: 'proto3',
    dependency: [...files.keys()],
  });
  return createFileRegistry(umbrella, (name) => files.get(name));
}

function descriptorSet(file: string): Registry {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UsageError(`descriptor set ${file}: ${(error as Error).message}`);
  }
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  } catch (error) {
    const way = 'make it with `buf build -o` or `protoc --include_imports --descriptor_set_out`';
    throw new UsageError(`descriptor set ${file} does not load: ${(error as Error).message}; ${way}`);
  }
}

/** Service and method of `package.Service/Method`, with what there is when they are not found. */
export function findMethod(registry: Registry, path: string): { service: DescService; method: DescMethod } {
  const match = /^\/?([^/]+)\/([^/]+)$/.exec(path);
  if (match === null) throw new UsageError(`${JSON.stringify(path)}: write a method as package.Service/Method`);
  const service = registry.getService(match[1]!);
  if (service === undefined) {
    const known = [...registry].flatMap((type) => (type.kind === 'service' ? [type.typeName] : []));
    throw new UsageError(
      `no descriptor of service ${match[1]}: give --proto or --descriptors (known: ${known.join(', ')})`,
    );
  }
  const method = service.methods.find(({ name, localName }) => name === match[2] || localName === match[2]);
  if (method !== undefined) return { service, method };
  const names = service.methods.map(({ name }) => name).join(', ');
  throw new UsageError(`${service.typeName} has no method ${match[2]}; it has ${names}`);
}
