import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { decodeResponse } from '../protocol/envelope.ts';
import { undecodable } from '../protocol/payload.ts';
import { decodeStatus } from '../protocol/status.ts';
import type { Guard, PendingCall } from './call.ts';

/** One request, one response. */
export class UnaryCall<T> implements PendingCall {
  readonly #decode: (payload: Uint8Array) => T;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: TtrpcError) => void;
  guard: Guard | undefined;

  constructor(decode: (payload: Uint8Array) => T, resolve: (value: T) => void, reject: (error: TtrpcError) => void) {
    this.#decode = decode;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  response(body: Uint8Array): void {
    let value: T;
    try {
      value = this.#decode(takePayload(body));
    } catch (error) {
      this.fail(undecodable(error));
      return;
    }
    this.guard?.stop();
    this.#resolve(value);
  }

  data(): void {
    this.fail(new TtrpcError(Code.INTERNAL, 'the server answered a unary call with a data frame'));
  }

  fail(error: TtrpcError): void {
    this.guard?.stop();
    this.#reject(error);
  }
}

/** The payload of a response that is OK; throws what its status says. The status is looked at first. */
export function takePayload(body: Uint8Array): Uint8Array {
  const { status, payload } = decodeResponse(body);
  const error = status === undefined ? undefined : decodeStatus(status);
  if (error !== undefined) throw error;
  return payload;
}
