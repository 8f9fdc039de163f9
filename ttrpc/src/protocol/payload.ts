import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';

/** A message, or what makes one, encoded. Throws INTERNAL on values its fields cannot hold. */
export function encodePayload<D extends DescMessage>(desc: D, init: MessageInitShape<D>): Uint8Array {
  try {
    return toBinary(desc, create(desc, init));
  } catch (error) {
    throw new TtrpcError(Code.INTERNAL, `ttrpc: error marshaling payload: ${reasonOf(error)}`, { cause: error });
  }
}

/** An error of the peer as it is; a failure to read its bytes as INTERNAL. */
export function undecodable(error: unknown): TtrpcError {
  if (error instanceof TtrpcError) return error;
  return new TtrpcError(Code.INTERNAL, `ttrpc: error unmarshalling payload: ${reasonOf(error)}`, { cause: error });
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
