import { type DescMethod, type DescService, fromBinary, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { encodePayload, undecodable } from '../protocol/payload.ts';
import type { HandlerContext } from './context.ts';
import { aroundStream, aroundUnary, type ServerInterceptor } from './interceptor.ts';
import type { ServerCall } from './server-call.ts';

/** Serves calls of one method; `payload` is that of the request. Never throws. */
export type MethodServer = (call: ServerCall, payload: Uint8Array) => void;

type UnaryHandler = (request: Message, context: HandlerContext) => unknown;
type ServerStreamHandler = (request: Message, context: HandlerContext) => AsyncIterable<unknown>;
type ClientStreamHandler = (requests: AsyncIterable<Message>, context: HandlerContext) => unknown;
type BidiHandler = (requests: AsyncIterable<Message>, context: HandlerContext) => AsyncIterable<unknown>;

interface Bound {
  service: DescService;
  method: DescMethod;
  interceptors: readonly ServerInterceptor[];
}

/** Wraps a typed handler of any kind. */
export function serveMethod(
  service: DescService,
  method: DescMethod,
  handler: unknown,
  interceptors: readonly ServerInterceptor[],
): MethodServer {
  const bound = { service, method, interceptors };
  switch (method.methodKind) {
    case 'unary':
      return unary(bound, handler as UnaryHandler);
    case 'server_streaming':
      return serverStreaming(bound, handler as ServerStreamHandler);
    case 'client_streaming':
      return clientStreaming(bound, handler as ClientStreamHandler);
    case 'bidi_streaming':
      return bidiStreaming(bound, handler as BidiHandler);
  }
}

function unary({ service, method, interceptors }: Bound, handler: UnaryHandler): MethodServer {
  const handle: UnaryHandler =
    interceptors.length === 0
      ? handler
      : (request, context) =>
          aroundUnary(interceptors, { service, method, context }, async (inner) => handler(inner, context))(request);
  return (call, payload) => {
    const reply = (message: unknown) => {
      try {
        call.respond(encodeReply(method, message));
      } catch (error) {
        call.fail(TtrpcError.from(error));
      }
    };
    try {
      const result = handle(decode(method, payload), call.context);
      if (isPromise(result)) result.then(reply, (error) => call.fail(TtrpcError.from(error)));
      else reply(result);
    } catch (error) {
      call.fail(TtrpcError.from(error));
    }
  };
}

function serverStreaming({ service, method, interceptors }: Bound, handler: ServerStreamHandler): MethodServer {
  return (call, payload) => {
    const handle = aroundStream(interceptors, { service, method, context: call.context }, async function* (requests) {
      for await (const request of requests) yield* handler(request, call.context);
    });
    void sendReplies(method, call, () => {
      const request = decode(method, payload);
      return interceptors.length === 0 ? handler(request, call.context) : handle(one(request));
    });
  };
}

function clientStreaming({ service, method, interceptors }: Bound, handler: ClientStreamHandler): MethodServer {
  return (call, payload) => {
    const requests = openRequests(method, call, payload);
    const handle = aroundStream(interceptors, { service, method, context: call.context }, async function* (inner) {
      yield await handler(inner, call.context);
    });
    const run = async () => {
      try {
        if (interceptors.length === 0) {
          call.respond(encodeReply(method, await handler(requests, call.context)));
          return;
        }
        let reply: unknown;
        for await (const message of handle(requests)) reply = message;
        call.respond(encodeReply(method, reply));
      } catch (error) {
        call.fail(TtrpcError.from(error));
      }
    };
    void run();
  };
}

function bidiStreaming({ service, method, interceptors }: Bound, handler: BidiHandler): MethodServer {
  return (call, payload) => {
    const requests = openRequests(method, call, payload);
    const handle = aroundStream(interceptors, { service, method, context: call.context }, (inner) =>
      handler(inner, call.context),
    );
    void sendReplies(method, call, () => handle(requests));
  };
}

/** Sends what a handler yields, at the connection's pace, until it ends or the call is over. */
async function sendReplies(method: DescMethod, call: ServerCall, start: () => AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const message of start()) {
      if (call.over) return;
      const room = call.send(encodeReply(method, message));
      if (room !== undefined) await room;
    }
    call.end();
  } catch (error) {
    call.fail(TtrpcError.from(error));
  }
}

/** A request that opens a stream may carry its first message; an empty payload means that it does not. */
function openRequests(method: DescMethod, call: ServerCall, payload: Uint8Array): AsyncIterable<Message> {
  const queue = call.openRequests();
  if (payload.length > 0) queue.push(payload);
  return decoded(method, queue);
}

async function* decoded(method: DescMethod, payloads: AsyncIterable<Uint8Array>): AsyncGenerator<Message> {
  for await (const payload of payloads) yield decode(method, payload);
}

async function* one(request: Message): AsyncGenerator<Message> {
  yield request;
}

function decode(method: DescMethod, payload: Uint8Array): Message {
  try {
    return fromBinary(method.input, payload);
  } catch (error) {
    throw undecodable(error);
  }
}

function encodeReply(method: DescMethod, message: unknown): Uint8Array {
  if (message === undefined || message === null) {
    // What the Go server says of a nil reply. Types forbid it; a handler in plain JavaScript may still do it.
    throw new TtrpcError(Code.UNKNOWN, 'ttrpc: marshal called with nil');
  }
  return encodePayload(method.output, message as MessageInitShape<DescMethod['output']>);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
