import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { Metadata, type MetadataInit } from '../metadata.ts';
import type { CallOptions } from './call.ts';
import type { Connection } from './connection.ts';
import type { ClientInterceptor } from './interceptor.ts';
import { bind } from './methods.ts';

type Requests<I extends DescMessage> = AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>;

/** A client of a service: one typed function a method, named in camelCase. */
export type Client<S extends DescService> = {
  readonly [K in keyof S['method']]: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : S['method'][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : S['method'][K] extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: Requests<I>, options?: CallOptions) => Promise<MessageShape<O>>
        : S['method'][K] extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: Requests<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
          : never;
};

export interface ClientOptions {
  /** Default timeout of each call, in milliseconds. */
  timeoutMs?: number | undefined;
  /** Metadata sent with each call, in front of the call's own. */
  metadata?: MetadataInit | undefined;
  /** Run around each call, the first outermost. */
  interceptors?: readonly ClientInterceptor[] | undefined;
}

/** Makes a typed client of a service that protoc-gen-es generated. Many clients may share a connection. */
export function createClient<S extends DescService>(
  service: S,
  connection: Connection,
  options: ClientOptions = {},
): Client<S> {
  const interceptors = options.interceptors ?? [];
  const merge = merger(options);
  const functions = service.methods.map((method) => [
    method.localName,
    bind({ service, method, connection, interceptors, options: merge }),
  ]);
  return Object.fromEntries(functions) as Client<S>;
}

const NO_OPTIONS: CallOptions = {};

function merger({ timeoutMs, metadata }: ClientOptions): (options: CallOptions | undefined) => CallOptions {
  if (timeoutMs === undefined && metadata === undefined) return (options) => options ?? NO_OPTIONS;
  return (options = NO_OPTIONS) => ({
    ...options,
    timeoutMs: options.timeoutMs ?? timeoutMs,
    metadata: metadata === undefined ? options.metadata : joined(metadata, options.metadata),
  });
}

function joined(first: MetadataInit, second: MetadataInit | undefined): Metadata {
  const metadata = new Metadata(first);
  for (const [key, value] of new Metadata(second)) metadata.append(key, value);
  return metadata;
}
