import { DeviceError, type DeviceErrorCode } from '@kata-mock/devices';
import { SpecError } from '@kata-mock/oci-spec';
import { PciError } from '@kata-mock/pci';
import { PosixError } from '@kata-mock/posix';
import { CdiError } from 'cdi-spec';
import { Code, TtrpcError } from 'ttrpc-ts';
import { AgentError, type AgentErrorCode } from '../errors.ts';

const codeOfAgent: Readonly<Record<AgentErrorCode, Code>> = {
  INVALID_ARGUMENT: Code.INVALID_ARGUMENT,
  NOT_FOUND: Code.NOT_FOUND,
  ALREADY_EXISTS: Code.ALREADY_EXISTS,
  FAILED_PRECONDITION: Code.FAILED_PRECONDITION,
  UNIMPLEMENTED: Code.UNIMPLEMENTED,
  // Kata's own agent answers INTERNAL at the end of a stream.
  END_OF_STREAM: Code.INTERNAL,
  INTERNAL: Code.INTERNAL,
};

/** The rest are the request's fault: INVALID_ARGUMENT. */
const codeOfDevice: Partial<Record<DeviceErrorCode, Code>> = {
  DEVICE_NOT_FOUND: Code.NOT_FOUND,
  NODE_NOT_FOUND: Code.NOT_FOUND,
  CDI_UNRESOLVED: Code.NOT_FOUND,
  CDI_TIMEOUT: Code.DEADLINE_EXCEEDED,
  BIND_FAILED: Code.INTERNAL,
  UNSUPPORTED_ARCHITECTURE: Code.UNIMPLEMENTED,
};

/** The one place where errors of this project become status codes. */
export function toTtrpcError(error: unknown): TtrpcError {
  if (error instanceof TtrpcError) return error;
  const code = codeOf(error);
  if (code === undefined) return TtrpcError.from(error);
  return new TtrpcError(code, (error as Error).message, { cause: error });
}

function codeOf(error: unknown): Code | undefined {
  if (error instanceof AgentError) return codeOfAgent[error.code];
  if (error instanceof DeviceError) return codeOfDevice[error.code] ?? Code.INVALID_ARGUMENT;
  if (error instanceof SpecError || error instanceof PciError || error instanceof CdiError)
    return Code.INVALID_ARGUMENT;
  if (error instanceof PosixError) return Code.INTERNAL;
  return undefined;
}
