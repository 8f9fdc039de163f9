import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { CreateContainerRequestSchema } from '@kata-mock/contracts';
import { DeviceError } from '../errors.ts';
import type { ContainerRequest } from '../request.ts';
import { fromCreateContainer } from './container-request.ts';

/**
 * Reads a CreateContainer request from JSON text: the message itself in protobuf's JSON form, or one line of a recording
 * (`{"method": "CreateContainer", "request": {…}}`). @throws DeviceError INVALID_REQUEST
 */
export function readRequest(text: string): ContainerRequest {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new DeviceError('INVALID_REQUEST', `the request is not JSON: ${(cause as Error).message}`, { cause });
  }
  const { method, request = value } = (isObject(value) ? value : {}) as { method?: unknown; request?: JsonValue };
  if (method !== undefined && method !== 'CreateContainer') {
    throw new DeviceError('INVALID_REQUEST', `the request is a ${JSON.stringify(method)}, expected CreateContainer`);
  }
  try {
    return fromCreateContainer(fromJson(CreateContainerRequestSchema, request, { ignoreUnknownFields: true }));
  } catch (cause) {
    if (cause instanceof DeviceError) throw cause;
    throw new DeviceError('INVALID_REQUEST', `not a CreateContainer request: ${(cause as Error).message}`, { cause });
  }
}

function isObject(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
