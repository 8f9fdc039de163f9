import { create, type DescMethod, type DescService, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { encodeMethod } from '../protocol/envelope.ts';
import { codecOf } from '../protocol/payload.ts';
import type { CallOptions } from './call.ts';
import type { Connection } from './connection.ts';
import { type ClientInterceptor, interceptStream, interceptUnary } from './interceptor.ts';
import type { ClientStream } from './stream-call.ts';
import { only, Responses, sendAll } from './typed-stream.ts';

type Init = MessageInitShape<DescMethod['input']>;
type Inits = AsyncIterable<Init> | Iterable<Init>;

/** What the functions below share: one method of one service on one connection. */
export interface BoundMethod {
  service: DescService;
  method: DescMethod;
  connection: Connection;
  interceptors: readonly ClientInterceptor[];
  /** Adds the client's defaults to the options of a call. */
  options: (options: CallOptions | undefined) => CallOptions;
}

/** The function a client offers for a method. */
export function bind(bound: BoundMethod): (input: never, options?: CallOptions) => unknown {
  const codec = new MethodCodec(bound.service, bound.method);
  switch (bound.method.methodKind) {
    case 'unary':
      return unary(bound, codec);
    case 'server_streaming':
      return serverStreaming(bound, codec);
    case 'client_streaming':
      return clientStreaming(bound, codec);
    case 'bidi_streaming':
      return bidiStreaming(bound, codec);
  }
}

function unary({ service, method, connection, interceptors, options }: BoundMethod, codec: MethodCodec) {
  const { name, encode, decode } = codec;
  if (interceptors.length === 0) {
    return (request: Init, given?: CallOptions) => {
      try {
        return connection.unary(name, encode(request), decode, options(given));
      } catch (error) {
        return Promise.reject(error);
      }
    };
  }
  const call = interceptUnary(interceptors, (request, context) =>
    connection.unary(name, encode(request), decode, context),
  );
  return (request: Init, given?: CallOptions) => call(codec.message(request), { service, method, ...options(given) });
}

function serverStreaming({ service, method, connection, interceptors, options }: BoundMethod, codec: MethodCodec) {
  const { name, encode, decode } = codec;
  const start = (request: Init, context: CallOptions) =>
    new Responses(connection.stream(name, { ...context, payload: encode(request), open: false }), decode);
  if (interceptors.length === 0) return (request: Init, given?: CallOptions) => start(request, options(given));
  const call = interceptStream(interceptors, async function* (requests, context) {
    yield* start(await only(requests, `request of ${method.name}`), context);
  });
  return (request: Init, given?: CallOptions) =>
    call(codec.messages([request]), { service, method, ...options(given) });
}

function clientStreaming({ service, method, connection, interceptors, options }: BoundMethod, codec: MethodCodec) {
  const { name, encode, decode } = codec;
  const call = interceptStream(interceptors, async function* (requests, context) {
    const stream = connection.stream(name, context);
    void sendAll(stream, requests, encode);
    yield await reply(stream, decode);
  });
  return (requests: Inits, given?: CallOptions) =>
    only(call(codec.messages(requests), { service, method, ...options(given) }), `reply of ${method.name}`);
}

function bidiStreaming({ service, method, connection, interceptors, options }: BoundMethod, codec: MethodCodec) {
  const { name, encode, decode } = codec;
  const call = interceptStream(interceptors, (requests, context) => {
    const stream = connection.stream(name, context);
    void sendAll(stream, requests, encode);
    return new Responses(stream, decode);
  });
  return (requests: Inits, given?: CallOptions) =>
    call(codec.messages(requests), { service, method, ...options(given) });
}

/** The one reply of a client stream: the payload of the response frame, even when it is empty. */
async function reply(stream: ClientStream, decode: (payload: Uint8Array) => Message): Promise<Message> {
  const messages: Message[] = [];
  for await (const payload of stream.responses) messages.push(decode(payload));
  const { ending } = stream;
  return messages[0] ?? decode(ending?.kind === 'response' ? ending.payload : new Uint8Array(0));
}

/** Encodes and decodes the messages of one method. */
class MethodCodec {
  readonly name: Uint8Array;
  readonly message: (init: Init) => Message;
  readonly encode: (init: Init) => Uint8Array;
  readonly decode: (payload: Uint8Array) => Message;

  constructor(service: DescService, method: DescMethod) {
    const { input, output } = method;
    this.name = encodeMethod(service.typeName, method.name);
    this.message = (init) => create(input, init);
    this.encode = codecOf(input).encode;
    this.decode = codecOf(output).decode;
  }

  async *messages(inits: Inits): AsyncGenerator<Message> {
    for await (const init of inits) yield this.message(init);
  }
}
