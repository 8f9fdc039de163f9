import type { Connection } from '../client/connection.ts';
import { TtrpcError } from '../errors.ts';
import { Flag } from '../protocol/frame.ts';
import type { HandlerContext } from './context.ts';
import type { MethodServer } from './methods.ts';
import type { ServerCall } from './server-call.ts';

/** A call of any service and method as bytes. */
export interface RawCall {
  readonly service: string;
  readonly method: string;
  /** Payload of the request frame. */
  readonly payload: Uint8Array;
  /**
   * How the client uses the stream, by its request's flags: `unary` expects one response; `server` sends nothing
   * more; `client` sends data frames and expects either one response or messages.
   */
  readonly kind: 'unary' | 'server' | 'client';
  readonly context: HandlerContext;
  /** Messages in data frames; ends at once when the client sends none. */
  readonly requests: AsyncIterable<Uint8Array>;
  /** Sends one message of a stream; await what it returns to follow the connection's pace. */
  send(payload: Uint8Array): Promise<void> | undefined;
}

/** Returns the payload of the one response, or undefined to end a stream of messages. Throws to fail the call. */
export type RawHandler = (call: RawCall) => Promise<Uint8Array | undefined> | Uint8Array | undefined;

export function serveRaw(handler: RawHandler): MethodServer {
  return (call, payload) => {
    const kind = kindOf(call);
    const requests = kind === 'client' ? call.openRequests() : none();
    const { service, method } = call.context;
    const raw: RawCall = {
      service,
      method,
      payload,
      kind,
      context: call.context,
      requests,
      send: (message) => call.send(message),
    };
    const run = async () => {
      try {
        const reply = await handler(raw);
        if (reply === undefined) call.end();
        else call.respond(reply);
      } catch (error) {
        call.fail(TtrpcError.from(error));
      }
    };
    void run();
  };
}

/** A handler that passes every call on to another connection, byte for byte in both directions. */
export function passTo(target: Connection): RawHandler {
  return async (call) => {
    const { service, method, payload, context } = call;
    const options = { metadata: context.metadata, timeoutMs: context.remainingMs, signal: context.signal };
    if (call.kind === 'unary') return target.raw(service, method, payload, options);
    const stream = target.rawStream(service, method, {
      ...options,
      open: call.kind === 'client',
      payload: call.kind === 'client' && payload.length === 0 ? undefined : payload,
    });
    const upstream = async () => {
      try {
        for await (const message of call.requests) await stream.send(message);
        stream.closeSend();
      } catch (error) {
        stream.cancel(error);
      }
    };
    void upstream();
    for await (const message of stream.responses) await call.send(message);
    return stream.ending?.kind === 'response' ? stream.ending.payload : undefined;
  };
}

function kindOf(call: ServerCall): RawCall['kind'] {
  if ((call.flags & Flag.REMOTE_OPEN) !== 0) return 'client';
  return (call.flags & Flag.REMOTE_CLOSED) !== 0 ? 'server' : 'unary';
}

async function* none(): AsyncGenerator<Uint8Array> {}
