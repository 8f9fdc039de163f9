/**
 * ttrpc for Node: the small RPC of containerd, Kata and NRI.
 *
 * ```ts
 * const server = new Server().register(Echo, { unary: (request) => ({ text: request.text }) });
 * await server.listen('unix:///run/echo.sock');
 *
 * const connection = await connect('unix:///run/echo.sock');
 * const reply = await createClient(Echo, connection).unary({ text: 'hello' }, { timeoutMs: 1000 });
 * ```
 */
export type { CallOptions } from './client/call.ts';
export { type Client, type ClientOptions, createClient } from './client/client.ts';
export { Connection, type ConnectionOptions, type RawStreamOptions } from './client/connection.ts';
export type { ClientCall, ClientInterceptor, StreamFunction, UnaryFunction } from './client/interceptor.ts';
export type { ClientStream, StreamEnding } from './client/stream-call.ts';
export { Code, codeName } from './code.ts';
export { TtrpcError, type TtrpcErrorOptions } from './errors.ts';
export { Metadata, type MetadataInit } from './metadata.ts';
export {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  encodeStatusResponse,
  type Request,
  type Response,
} from './protocol/envelope.ts';
export { encodeFrame, Flag, FrameType, HEADER_LENGTH, MAX_BODY_LENGTH } from './protocol/frame.ts';
export { FrameDecoder, type FrameSink } from './protocol/frame-decoder.ts';
export { decodeStatus, encodeStatus } from './protocol/status.ts';
export type { HandlerContext, PeerCredentials } from './server/context.ts';
export type { Handlers } from './server/handlers.ts';
export type { ServerCallInfo, ServerInterceptor, StreamHandling, UnaryHandling } from './server/interceptor.ts';
export { passTo, type RawCall, type RawHandler } from './server/raw.ts';
export { type ConnectionInfo, Server, type ServerOptions } from './server/server.ts';
export { type Address, formatAddress, parseAddress } from './transport/address.ts';
export { type ConnectOptions, connect } from './transport/connect.ts';
export type { Listener } from './transport/listen.ts';
export { Multiplexer, NriConnection } from './transport/nri-mux.ts';
