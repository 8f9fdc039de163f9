import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import type { CallOptions } from './call.ts';

/** What an interceptor knows of a call. It may pass on a changed copy. */
export interface ClientCall extends CallOptions {
  service: DescService;
  method: DescMethod;
}

export type UnaryFunction = (request: Message, call: ClientCall) => Promise<Message>;
export type StreamFunction = (requests: AsyncIterable<Message>, call: ClientCall) => AsyncIterable<Message>;

/** Code around calls, on the client: logging, metadata, retries, measuring. Either half may be left out. */
export interface ClientInterceptor {
  unary?(request: Message, call: ClientCall, next: UnaryFunction): Promise<Message>;
  /** For all three kinds of stream; one message counts as a stream of one. */
  stream?(requests: AsyncIterable<Message>, call: ClientCall, next: StreamFunction): AsyncIterable<Message>;
}

/** The first interceptor is the outermost. */
export function interceptUnary(interceptors: readonly ClientInterceptor[], innermost: UnaryFunction): UnaryFunction {
  return interceptors.reduceRight<UnaryFunction>((next, interceptor) => {
    if (interceptor.unary === undefined) return next;
    return (request, call) => interceptor.unary!(request, call, next);
  }, innermost);
}

export function interceptStream(interceptors: readonly ClientInterceptor[], innermost: StreamFunction): StreamFunction {
  return interceptors.reduceRight<StreamFunction>((next, interceptor) => {
    if (interceptor.stream === undefined) return next;
    return (requests, call) => interceptor.stream!(requests, call, next);
  }, innermost);
}
