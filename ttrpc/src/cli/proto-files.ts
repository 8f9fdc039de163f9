import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { create, createFileRegistry, type DescFile, type FileRegistry, type Registry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import protobufjs from 'protobufjs';
import { fileProto, type Source } from './descriptor-protos.ts';
import { UsageError } from './usage.ts';

/**
 * Descriptors of .proto files (proto3) and what they import. protobufjs parses; this makes the descriptors that
 * protobuf-es works with, one a file. An import is looked for in each folder, then among google's own types.
 */
export function loadProtoFiles(
  files: readonly string[],
  folders: readonly string[],
  wellKnown: FileRegistry,
): Registry {
  const root = new protobufjs.Root();
  const sources = new Map<string, Source>();
  const roots = [...folders, ...files.map((file) => path.dirname(file)), '.'];
  const read = (name: string, file: string) => {
    if (sources.has(name)) return;
    const source: Source = { name, package: '', imports: [] };
    sources.set(name, source);
    // The parser marks each object with the file it was in.
    Object.assign(protobufjs.parse, { filename: name });
    const parsed = parse(root, file);
    source.package = parsed.package ?? '';
    source.imports = [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])];
    for (const imported of source.imports) {
      const known = wellKnown.getFile(imported);
      const found = find(roots, imported);
      if (found !== undefined) read(imported, found);
      else if (known !== undefined) declareWellKnown(root, known);
      else missing(name, imported, roots);
    }
  };
  for (const file of files) {
    const folder = folders.find((one) => !path.relative(one, file).startsWith('..')) ?? path.dirname(file);
    read(path.relative(folder, file), file);
  }
  try {
    root.resolveAll();
  } catch (error) {
    throw new UsageError(`${files.join(', ')}: ${(error as Error).message}`);
  }
  return merge(root, sources, wellKnown);
}

function parse(root: protobufjs.Root, file: string): protobufjs.IParserResult {
  let parsed: protobufjs.IParserResult;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
    parsed = protobufjs.parse(text, root, { keepCase: true });
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  // ttrpc's services are all of proto3; the rules of the others for presence and defaults are not worth a second copy.
  if (!/^\s*syntax\s*=\s*["']proto3["']/m.test(text)) {
    throw new UsageError(`${file}: not proto3; make a descriptor set of it (buf build -o) and give --descriptors`);
  }
  return parsed;
}

/** So that names resolve; the descriptors come from protobuf-es. */
function declareWellKnown(root: protobufjs.Root, file: DescFile): void {
  for (const { typeName, name } of file.messages) {
    if (!root.lookup(typeName)) root.define(file.proto.package).add(new protobufjs.Type(name));
  }
  for (const { typeName, name } of file.enums) {
    if (!root.lookup(typeName)) root.define(file.proto.package).add(new protobufjs.Enum(name, {}));
  }
}

function find(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

function missing(name: string, imported: string, folders: readonly string[]): never {
  throw new UsageError(`${name} imports ${imported}, which is in none of ${[...new Set(folders)].join(', ')}: add -I`);
}

function merge(root: protobufjs.Root, sources: Map<string, Source>, wellKnown: FileRegistry): Registry {
  const protos = new Map([...sources.values()].map((source) => [source.name, fileProto(root, source)]));
  const umbrella = create(FileDescriptorProtoSchema, {
    name: 'ttrpc-command-line.proto',
    syntax: 'proto3',
    dependency: [...sources.keys()],
  });
  return createFileRegistry(umbrella, (name) => protos.get(name) ?? wellKnown.getFile(name));
}
