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
import type { HandlerContext } from './context.ts';

type Reply<O extends DescMessage> = MessageInitShape<O> | Promise<MessageInitShape<O>>;

/**
 * Handlers of a service, one a method, named in camelCase. A method that is left out answers UNIMPLEMENTED by name.
 * Requests of a stream end when the client says so and throw when the call is cut off. Bytes in requests and replies
 * are views of what was read from the socket, up to 64 KiB at a time: copy what is kept for long.
 */
export type Handlers<S extends DescService> = {
  [K in keyof S['method']]?: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: HandlerContext) => Reply<O>
    : S['method'][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: HandlerContext) => AsyncIterable<MessageInitShape<O>>
      : S['method'][K] extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageShape<I>>, context: HandlerContext) => Reply<O>
        : S['method'][K] extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: AsyncIterable<MessageShape<I>>, context: HandlerContext) => AsyncIterable<MessageInitShape<O>>
          : never;
};
