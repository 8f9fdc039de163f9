import { create } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Type as Kind,
  FieldDescriptorProto_Label as Label,
  type ServiceDescriptorProto,
  ServiceDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import protobufjs from 'protobufjs';

const SCALARS = new Map<string, Kind>([
  ['double', Kind.DOUBLE],
  ['float', Kind.FLOAT],
  ['int64', Kind.INT64],
  ['uint64', Kind.UINT64],
  ['int32', Kind.INT32],
  ['fixed64', Kind.FIXED64],
  ['fixed32', Kind.FIXED32],
  ['bool', Kind.BOOL],
  ['string', Kind.STRING],
  ['bytes', Kind.BYTES],
  ['uint32', Kind.UINT32],
  ['sfixed32', Kind.SFIXED32],
  ['sfixed64', Kind.SFIXED64],
  ['sint32', Kind.SINT32],
  ['sint64', Kind.SINT64],
]);

/** A .proto file that was read. */
export interface Source {
  name: string;
  package: string;
  imports: string[];
}

/** The descriptor of a file, of what protobufjs made of it: all names are resolved, each object knows its file. */
export function fileProto(root: protobufjs.Root, source: Source): FileDescriptorProto {
  const here = (source.package === '' ? root : root.lookup(source.package)) as protobufjs.NamespaceBase;
  const own = here.nestedArray.filter((object) => object.filename === source.name);
  return create(FileDescriptorProtoSchema, {
    name: source.name,
    package: source.package,
    dependency: source.imports,
    syntax: 'proto3',
    messageType: own.filter((object) => object instanceof protobufjs.Type).map(messageProto),
    enumType: own.filter((object) => object instanceof protobufjs.Enum).map(enumProto),
    service: own.filter((object) => object instanceof protobufjs.Service).map(serviceProto),
  });
}

function messageProto(type: protobufjs.Type): DescriptorProto {
  const oneofs = type.oneofsArray.filter((oneof) => !isSynthetic(oneof));
  const synthetic = type.oneofsArray.filter(isSynthetic);
  const indexes = new Map([...oneofs, ...synthetic].map((oneof, index) => [oneof, index]));
  const maps = type.fieldsArray.filter((field) => field instanceof protobufjs.MapField);
  return create(DescriptorProtoSchema, {
    name: type.name,
    field: type.fieldsArray.map((field) => fieldProto(field.resolve(), indexes)),
    oneofDecl: [...indexes.keys()].map(({ name }) => ({ name })),
    nestedType: [
      ...type.nestedArray.filter((object) => object instanceof protobufjs.Type).map(messageProto),
      ...maps.map(entryProto),
    ],
    enumType: type.nestedArray.filter((object) => object instanceof protobufjs.Enum).map(enumProto),
  });
}

/** What `optional` in proto3 makes: a oneof of its field alone. */
function isSynthetic(oneof: protobufjs.OneOf): boolean {
  return oneof.fieldsArray.length === 1 && oneof.fieldsArray[0]!.options?.['proto3_optional'] === true;
}

function fieldProto(field: protobufjs.Field, oneofs: Map<protobufjs.OneOf, number>): FieldDescriptorProto {
  const { name, id: number, partOf } = field;
  const isMap = field instanceof protobufjs.MapField;
  const kind = isMap
    ? { type: Kind.MESSAGE, typeName: `${fullName(field.parent!)}.${entryName(name)}` }
    : kindOf(field);
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    jsonName: jsonName(name),
    label: isMap || field.repeated ? Label.REPEATED : Label.OPTIONAL,
    ...kind,
    ...(partOf !== null && partOf !== undefined && { oneofIndex: oneofs.get(partOf)! }),
    ...(partOf && isSynthetic(partOf) && { proto3Optional: true }),
  });
}

/** As protoc makes it: underscores go, the letter behind one becomes a capital. */
function jsonName(name: string): string {
  return name.replaceAll(/_+(.?)/g, (_, next: string) => next.toUpperCase());
}

function kindOf({ type, resolvedType }: Pick<protobufjs.Field, 'type' | 'resolvedType'>): {
  type: Kind;
  typeName?: string;
} {
  const scalar = SCALARS.get(type);
  if (scalar !== undefined) return { type: scalar };
  return {
    type: resolvedType instanceof protobufjs.Enum ? Kind.ENUM : Kind.MESSAGE,
    typeName: fullName(resolvedType!),
  };
}

function entryProto(field: protobufjs.MapField): DescriptorProto {
  return create(DescriptorProtoSchema, {
    name: entryName(field.name),
    field: [
      { name: 'key', jsonName: 'key', number: 1, label: Label.OPTIONAL, type: SCALARS.get(field.keyType)! },
      { name: 'value', jsonName: 'value', number: 2, label: Label.OPTIONAL, ...kindOf(field) },
    ],
    options: { mapEntry: true },
  });
}

function entryName(field: string): string {
  return `${field.replaceAll(/(?:^|_)(.)/g, (_, first: string) => first.toUpperCase())}Entry`;
}

function enumProto({ name, values, options }: protobufjs.Enum): EnumDescriptorProto {
  return create(EnumDescriptorProtoSchema, {
    name,
    value: Object.entries(values).map(([key, number]) => ({ name: key, number })),
    ...(options?.['allow_alias'] === true && { options: { allowAlias: true } }),
  });
}

function serviceProto(service: protobufjs.Service): ServiceDescriptorProto {
  return create(ServiceDescriptorProtoSchema, {
    name: service.name,
    method: service.methodsArray.map((method) => {
      method.resolve();
      return {
        name: method.name,
        inputType: fullName(method.resolvedRequestType!),
        outputType: fullName(method.resolvedResponseType!),
        ...(method.requestStream === true && { clientStreaming: true }),
        ...(method.responseStream === true && { serverStreaming: true }),
      };
    }),
  });
}

function fullName(object: protobufjs.ReflectionObject): string {
  return object.fullName.startsWith('.') ? object.fullName : `.${object.fullName}`;
}
