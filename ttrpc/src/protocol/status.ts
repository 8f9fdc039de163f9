import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';

/** The google.rpc.Status of an error, encoded. An error is never OK: one that says so would pass for success. */
export function encodeStatus({ code, message, details }: TtrpcError): Uint8Array {
  const status = create(StatusSchema, { code: code === Code.OK ? Code.UNKNOWN : code, message, details });
  return toBinary(StatusSchema, status);
}

/** The error a status stands for, undefined for OK. Throws on bytes that are not a Status. */
export function decodeStatus(bytes: Uint8Array): TtrpcError | undefined {
  const status = fromBinary(StatusSchema, bytes);
  if (status.code === Code.OK) return undefined;
  return new TtrpcError(status.code as Code, status.message, { details: status.details });
}
