/** What a user's editor sees. Checked by the compiler; vitest runs it so that it is not forgotten. */
import { expectTypeOf, test } from 'vitest';
import type { Echo } from './echo.ts';
import type { Text } from './gen/ttrpc/test/v1/echo_pb.ts';
import type { Client, HandlerContext, Handlers } from './index.ts';

type EchoClient = Client<typeof Echo>;
type EchoHandlers = Required<Handlers<typeof Echo>>;

test('a client has one typed function a method', () => {
  expectTypeOf<keyof EchoClient>().toEqualTypeOf<
    'unary' | 'serverStream' | 'clientStream' | 'bidi' | 'slow' | 'empty' | 'big' | 'fail'
  >();
  expectTypeOf<ReturnType<EchoClient['unary']>>().toEqualTypeOf<Promise<Text>>();
  expectTypeOf<ReturnType<EchoClient['serverStream']>>().toEqualTypeOf<AsyncIterable<Text>>();
  expectTypeOf<ReturnType<EchoClient['clientStream']>>().toEqualTypeOf<Promise<Text>>();
  expectTypeOf<ReturnType<EchoClient['bidi']>>().toEqualTypeOf<AsyncIterable<Text>>();
  expectTypeOf<{ text: string }>().toExtend<Parameters<EchoClient['unary']>[0]>();
  expectTypeOf<{ text: number }>().not.toExtend<Parameters<EchoClient['unary']>[0]>();
  expectTypeOf<{ text: string }[]>().toExtend<Parameters<EchoClient['bidi']>[0]>();
});

test('handlers get typed requests and a context, and must return the reply', () => {
  expectTypeOf<Parameters<EchoHandlers['unary']>>().toEqualTypeOf<[request: Text, context: HandlerContext]>();
  expectTypeOf<Parameters<EchoHandlers['bidi']>[0]>().toEqualTypeOf<AsyncIterable<Text>>();
  expectTypeOf<{ text: string }>().toExtend<ReturnType<EchoHandlers['unary']>>();
  expectTypeOf<undefined>().not.toExtend<ReturnType<EchoHandlers['unary']>>();
  expectTypeOf<{ wrong: () => object }>().not.toExtend<Handlers<typeof Echo>>();
});
