/**
 * A fast path for flat messages: those of proto3 whose fields are single texts, bytes, booleans, enums and 32-bit
 * integers, as most requests of containerd and Kata are. Reflection costs protobuf-es about a microsecond a message
 * each way, which is most of a call. Whatever is not plain (other fields, unknown ones, odd values, text beyond
 * ASCII) is left to protobuf-es, whose results these are: flat-codec.test.ts holds one against the other.
 */
import { isAscii as isAsciiBytes } from 'node:buffer';
import { type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence as Presence } from '@bufbuild/protobuf/wkt';
import { varintLength, WireType, writeVarint } from './wire.ts';

/** Texts up to this many characters are read and written in a loop; beyond, the call into native code is worth it. */
const SHORT_TEXT = 48;
const NOTHING = new Uint8Array(0);

const Kind = { TEXT: 0, BYTES: 1, BOOL: 2, INT32: 3, UINT32: 4 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

interface FlatField {
  name: string;
  tag: number;
  tagLength: number;
  kind: Kind;
}

export interface FlatCodec {
  /** The bytes of a message, or of what makes one; undefined when protobuf-es must do it. */
  encode(init: object): Uint8Array | undefined;
  decode(bytes: Uint8Array): Message | undefined;
}

/** The fast path of a message; undefined for one that is not flat. */
export function flatCodec(desc: DescMessage): FlatCodec | undefined {
  const fields: FlatField[] = [];
  if (desc.oneofs.length > 0) return undefined;
  for (const field of desc.fields) {
    const kind = kindOf(field);
    if (kind === undefined) return undefined;
    const wireType = kind === Kind.TEXT || kind === Kind.BYTES ? WireType.BYTES : WireType.VARINT;
    const tag = ((field.number << 3) | wireType) >>> 0;
    fields.push({ name: field.localName, tag, tagLength: varintLength(tag), kind });
  }
  // Encoded in order of their numbers, as protobuf-es does.
  fields.sort((a, b) => a.tag - b.tag);
  return new Flat(desc.typeName, fields);
}

function kindOf(field: DescField): Kind | undefined {
  if (field.presence !== Presence.IMPLICIT) return undefined;
  if (field.fieldKind === 'enum') return field.enum.open && isZeroFirst(field) ? Kind.INT32 : undefined;
  if (field.fieldKind !== 'scalar') return undefined;
  switch (field.scalar) {
    case ScalarType.STRING:
      return Kind.TEXT;
    case ScalarType.BYTES:
      return Kind.BYTES;
    case ScalarType.BOOL:
      return Kind.BOOL;
    case ScalarType.INT32:
      return Kind.INT32;
    case ScalarType.UINT32:
      return Kind.UINT32;
    default:
      return undefined;
  }
}

function isZeroFirst(field: DescField & { fieldKind: 'enum' }): boolean {
  return field.enum.values[0]?.number === 0;
}

class Flat implements FlatCodec {
  readonly #typeName: string;
  readonly #fields: readonly FlatField[];

  constructor(typeName: string, fields: readonly FlatField[]) {
    this.#typeName = typeName;
    this.#fields = fields;
  }

  encode(init: object): Uint8Array | undefined {
    const message = init as Record<string, unknown>;
    const typeName = message['$typeName'];
    if (typeName !== undefined && typeName !== this.#typeName) return undefined;
    if (message['$unknown'] !== undefined) return undefined;
    let length = 0;
    for (const field of this.#fields) {
      const size = sizeOf(field.kind, message[field.name]);
      if (size < 0) return undefined;
      if (size > 0) length += field.tagLength + size;
    }
    if (length === 0) return NOTHING;
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (const field of this.#fields) at = write(bytes, at, field, message[field.name]);
    return bytes;
  }

  decode(bytes: Uint8Array): Message | undefined {
    const message: Record<string, unknown> = { $typeName: this.#typeName };
    for (const { name, kind } of this.#fields) message[name] = zeroOf(kind);
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      let tag = bytes[at++]!;
      if (tag >= 0x80) {
        if (at >= end || bytes[at]! >= 0x80) return undefined;
        tag = (tag & 0x7f) | (bytes[at++]! << 7);
      }
      const field = this.#find(tag);
      if (field === undefined || at >= end) return undefined;
      // A value of up to 4 bytes of varint: a length, or the number itself.
      let value = bytes[at++]!;
      if (value >= 0x80) {
        value &= 0x7f;
        for (let shift = 7; ; shift += 7) {
          if (at >= end || shift > 21) return undefined;
          const byte = bytes[at++]!;
          value |= (byte & 0x7f) << shift;
          if (byte < 0x80) break;
        }
      }
      if (field.kind === Kind.TEXT || field.kind === Kind.BYTES) {
        if (value > end - at) return undefined;
        const content = field.kind === Kind.BYTES ? bytes.subarray(at, at + value) : textAt(bytes, at, at + value);
        if (content === undefined) return undefined;
        message[field.name] = content;
        at += value;
      } else message[field.name] = field.kind === Kind.BOOL ? value !== 0 : value;
    }
    return message as unknown as Message;
  }

  #find(tag: number): FlatField | undefined {
    for (const field of this.#fields) if (field.tag === tag) return field;
    return undefined;
  }
}

function zeroOf(kind: Kind): unknown {
  if (kind === Kind.TEXT) return '';
  if (kind === Kind.BYTES) return NOTHING;
  return kind === Kind.BOOL ? false : 0;
}

/** Bytes of a value with its length but without its tag; 0 for one that is left out, -1 for one that is not plain. */
function sizeOf(kind: Kind, value: unknown): number {
  if (value === undefined) return 0;
  switch (kind) {
    case Kind.TEXT: {
      if (typeof value !== 'string') return -1;
      const { length } = value;
      if (length === 0) return 0;
      if (!isAscii(value)) return -1;
      return varintLength(length) + length;
    }
    case Kind.BYTES: {
      if (!(value instanceof Uint8Array)) return -1;
      return value.length === 0 ? 0 : varintLength(value.length) + value.length;
    }
    case Kind.BOOL:
      return typeof value === 'boolean' ? Number(value) : -1;
    default:
      // A negative int32 takes ten bytes: rare, so left to protobuf-es.
      if (typeof value !== 'number' || !(value >= 0 && value <= 0x7fff_ffff) || !Number.isInteger(value)) return -1;
      return value === 0 ? 0 : varintLength(value);
  }
}

function write(into: Buffer, offset: number, { tag, kind }: FlatField, value: unknown): number {
  if (value === undefined || value === '' || value === 0 || value === false) return offset;
  if (kind === Kind.TEXT) {
    const text = value as string;
    const at = writeVarint(into, writeVarint(into, offset, tag), text.length);
    if (text.length > SHORT_TEXT) into.write(text, at, 'latin1');
    else for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
    return at + text.length;
  }
  if (kind === Kind.BYTES) {
    const content = value as Uint8Array;
    if (content.length === 0) return offset;
    const at = writeVarint(into, writeVarint(into, offset, tag), content.length);
    into.set(content, at);
    return at + content.length;
  }
  return writeVarint(into, writeVarint(into, offset, tag), Number(value));
}

/** Whether a text is ASCII alone. */
function isAscii(text: string): boolean {
  const { length } = text;
  if (length > SHORT_TEXT) return Buffer.byteLength(text) === length;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

/** Undefined for text beyond ASCII. */
function textAt(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > SHORT_TEXT) {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    return isAsciiBytes(view) ? view.toString('latin1') : undefined;
  }
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
