import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { flatCodec } from './flat-codec.ts';

/** Encodes and decodes the messages of one type. */
export interface Codec<D extends DescMessage = DescMessage> {
  /** A message, or what makes one. Throws INTERNAL on values its fields cannot hold. */
  encode(init: MessageInitShape<D>): Uint8Array;
  /** Bytes fields may be views of `payload`. Throws INTERNAL on bytes that are not the message. */
  decode(payload: Uint8Array): MessageShape<D>;
}

const codecs = new WeakMap<DescMessage, Codec>();

export function codecOf<D extends DescMessage>(desc: D): Codec<D> {
  let codec = codecs.get(desc);
  if (codec === undefined) {
    codec = makeCodec(desc);
    codecs.set(desc, codec);
  }
  return codec as unknown as Codec<D>;
}

function makeCodec(desc: DescMessage): Codec {
  const slow: Codec = {
    encode(init) {
      try {
        return toBinary(desc, create(desc, init));
      } catch (error) {
        throw new TtrpcError(Code.INTERNAL, `ttrpc: error marshaling payload: ${reasonOf(error)}`, { cause: error });
      }
    },
    decode(payload) {
      try {
        return fromBinary(desc, payload);
      } catch (error) {
        throw undecodable(error);
      }
    },
  };
  const flat = flatCodec(desc);
  if (flat === undefined) return slow;
  return {
    encode: (init) => flat.encode(init as object) ?? slow.encode(init),
    decode: (payload) => flat.decode(payload) ?? (slow.decode(payload) as Message),
  };
}

/** An error of the peer as it is; a failure to read its bytes as INTERNAL. */
export function undecodable(error: unknown): TtrpcError {
  if (error instanceof TtrpcError) return error;
  return new TtrpcError(Code.INTERNAL, `ttrpc: error unmarshalling payload: ${reasonOf(error)}`, { cause: error });
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
