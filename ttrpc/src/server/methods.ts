import type { DescMessage, DescMethod, DescService, Message, MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '../code.ts';
import { TtrpcError } from '../errors.ts';
import { codecOf } from '../protocol/payload.ts';
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
  decode: (payload: Uint8Array) => Message;
  encode: (init: MessageInitShape<DescMessage>) => Uint8Array;
}

export interface MethodOptions {
  readonly interceptors?: readonly ServerInterceptor[] | undefined;
  /** Status of a call whose bytes are no request. Default INTERNAL. */
  readonly undecodable?: Code | undefined;
}

/** Wraps a typed handler of any kind. */
export function serveMethod(
  service: DescService,
  method: DescMethod,
  handler: unknown,
  { interceptors = [], undecodable }: MethodOptions,
): MethodServer {
  const decode = decoderOf(method.input, undecodable);
  const { encode } = codecOf(method.output);
  const bound: Bound = { service, method, interceptors, decode, encode };
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

function decoderOf(input: DescMessage, code: Code | undefined): Bound['decode'] {
  const { decode } = codecOf(input);
  if (code === undefined) return decode;
  return (payload) => {
    try {
      return decode(payload);
    } catch (cause) {
      throw new TtrpcError(code, (cause as Error).message, { cause });
    }
  };
}

function unary(bound: Bound, handler: UnaryHandler): MethodServer {
  const { service, method, interceptors, decode } = bound;
  const handle: UnaryHandler =
    interceptors.length === 0
      ? handler
      : (request, context) =>
          aroundUnary(interceptors, { service, method, context }, async (inner) => handler(inner, context))(request);
  return (call, payload) => {
    try {
      const result = handle(decode(payload), call.context);
      // A handler that has its answer at once gets no promise made for it.
      if (isPromise(result)) void answerLater(bound, call, result);
      else call.respond(encodeReply(bound, result));
    } catch (error) {
      call.fail(TtrpcError.from(error));
    }
  };
}

async function answerLater(bound: Bound, call: ServerCall, result: PromiseLike<unknown>): Promise<void> {
  try {
    call.respond(encodeReply(bound, await result));
  } catch (error) {
    call.fail(TtrpcError.from(error));
  }
}

function serverStreaming(bound: Bound, handler: ServerStreamHandler): MethodServer {
  const { service, method, interceptors, decode } = bound;
  return (call, payload) => {
    const handle = aroundStream(interceptors, { service, method, context: call.context }, async function* (requests) {
      for await (const request of requests) yield* handler(request, call.context);
    });
    void sendReplies(bound, call, () => {
      const request = decode(payload);
      return interceptors.length === 0 ? handler(request, call.context) : handle(one(request));
    });
  };
}

function clientStreaming(bound: Bound, handler: ClientStreamHandler): MethodServer {
  const { service, method, interceptors } = bound;
  return (call, payload) => {
    const requests = openRequests(bound, call, payload);
    const handle = aroundStream(interceptors, { service, method, context: call.context }, async function* (inner) {
      yield await handler(inner, call.context);
    });
    const run = async () => {
      try {
        if (interceptors.length === 0) {
          call.respond(encodeReply(bound, await handler(requests, call.context)));
          return;
        }
        let reply: unknown;
        for await (const message of handle(requests)) reply = message;
        call.respond(encodeReply(bound, reply));
      } catch (error) {
        call.fail(TtrpcError.from(error));
      }
    };
    void run();
  };
}

function bidiStreaming(bound: Bound, handler: BidiHandler): MethodServer {
  const { service, method, interceptors } = bound;
  return (call, payload) => {
    const requests = openRequests(bound, call, payload);
    const handle = aroundStream(interceptors, { service, method, context: call.context }, (inner) =>
      handler(inner, call.context),
    );
    void sendReplies(bound, call, () => handle(requests));
  };
}

/** Sends what a handler yields, at the connection's pace, until it ends or the call is over. */
async function sendReplies(bound: Bound, call: ServerCall, start: () => AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const message of start()) {
      if (call.over) return;
      const room = call.send(encodeReply(bound, message));
      if (room !== undefined) await room;
    }
    call.end();
  } catch (error) {
    call.fail(TtrpcError.from(error));
  }
}

/** A request that opens a stream may carry its first message; an empty payload means that it does not. */
function openRequests(bound: Bound, call: ServerCall, payload: Uint8Array): AsyncIterable<Message> {
  const queue = call.openRequests();
  if (payload.length > 0) queue.push(payload);
  return decoded(bound, queue);
}

async function* decoded({ decode }: Bound, payloads: AsyncIterable<Uint8Array>): AsyncGenerator<Message> {
  for await (const payload of payloads) yield decode(payload);
}

async function* one(request: Message): AsyncGenerator<Message> {
  yield request;
}

function encodeReply(bound: Bound, message: unknown): Uint8Array {
  if (message === undefined || message === null) {
    // What the Go server says of a nil reply. Types forbid it; a handler in plain JavaScript may still do it.
    throw new TtrpcError(Code.UNKNOWN, 'ttrpc: marshal called with nil');
  }
  return bound.encode(message as MessageInitShape<DescMessage>);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
