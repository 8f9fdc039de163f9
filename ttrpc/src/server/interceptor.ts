import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import type { HandlerContext } from './context.ts';

/** The call an interceptor stands around. */
export interface ServerCallInfo {
  service: DescService;
  method: DescMethod;
  context: HandlerContext;
}

/** A reply may be the message or, as handlers may return it, what makes one. */
export type UnaryHandling = (request: Message) => Promise<unknown>;
export type StreamHandling = (requests: AsyncIterable<Message>) => AsyncIterable<unknown>;

/** Code around handlers: logging, checks of who calls, measuring. Either half may be left out. */
export interface ServerInterceptor {
  unary?(request: Message, call: ServerCallInfo, next: UnaryHandling): Promise<unknown>;
  /** For all three kinds of stream; one message counts as a stream of one. */
  stream?(requests: AsyncIterable<Message>, call: ServerCallInfo, next: StreamHandling): AsyncIterable<unknown>;
}

/** The first interceptor is the outermost. */
export function aroundUnary(
  interceptors: readonly ServerInterceptor[],
  call: ServerCallInfo,
  innermost: UnaryHandling,
): UnaryHandling {
  return interceptors.reduceRight<UnaryHandling>((next, interceptor) => {
    if (interceptor.unary === undefined) return next;
    return async (request) => interceptor.unary!(request, call, next);
  }, innermost);
}

export function aroundStream(
  interceptors: readonly ServerInterceptor[],
  call: ServerCallInfo,
  innermost: StreamHandling,
): StreamHandling {
  return interceptors.reduceRight<StreamHandling>((next, interceptor) => {
    if (interceptor.stream === undefined) return next;
    return (requests) => interceptor.stream!(requests, call, next);
  }, innermost);
}
