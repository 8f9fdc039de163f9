import { readFileSync } from 'node:fs';
import {
  type DescMethod,
  fromBinary,
  fromJsonString,
  type Message,
  type Registry,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import type { ClientStream } from '../client/stream-call.ts';
import { TtrpcError } from '../errors.ts';
import { Metadata } from '../metadata.ts';
import { canceled } from '../stream/failures.ts';
import { connect } from '../transport/connect.ts';
import { type DescriptorSources, findMethod, loadDescriptors } from './descriptors.ts';
import type { Io } from './io.ts';
import { jsonValues } from './json-values.ts';
import { parseDuration, parseHeader, UsageError } from './usage.ts';

export interface CallFlags extends DescriptorSources {
  header: readonly string[];
  timeout?: string;
}

/** `ttrpc call`: sends the JSON messages of the input, prints each reply as a line of JSON. */
export async function call(address: string, path: string, input: string | undefined, flags: CallFlags, io: Io) {
  const registry = loadDescriptors(flags);
  const { service, method } = findMethod(registry, path);
  const options = {
    timeoutMs: flags.timeout === undefined ? undefined : parseDuration(flags.timeout),
    metadata: new Metadata(flags.header.map(parseHeader)),
    signal: io.stop,
  };
  const requests = readRequests(input, method, registry, io);
  const print = (payload: Uint8Array) => {
    const message = fromBinary(method.output, payload);
    io.out(`${toJsonString(method.output, message, { registry, alwaysEmitImplicit: true })}\n`);
  };
  const connection = await connect(address, { signal: io.stop });
  try {
    const open = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
    if (!open) {
      const payload = await onlyRequest(requests, method);
      if (method.methodKind === 'unary') {
        print(await connection.raw(service.typeName, method.name, payload, options));
        return;
      }
      await printAll(connection.rawStream(service.typeName, method.name, { ...options, payload, open }), method, print);
      return;
    }
    const stream = connection.rawStream(service.typeName, method.name, options);
    const failed = sendAll(stream, requests);
    await printAll(stream, method, print).catch(async (error: unknown) => {
      // What was wrong with the input says more than the cancellation it led to.
      throw (await Promise.race([failed, undefined])) ?? error;
    });
  } finally {
    await connection.close();
  }
}

/** Resolves to what went wrong with the input, if anything did. */
async function sendAll(stream: ClientStream, requests: AsyncIterable<Uint8Array>): Promise<unknown> {
  try {
    for await (const request of requests) {
      if (stream.over) return undefined;
      await stream.send(request);
    }
    stream.closeSend();
    return undefined;
  } catch (error) {
    stream.cancel(TtrpcError.from(error));
    return error;
  }
}

async function printAll(stream: ClientStream, method: DescMethod, print: (payload: Uint8Array) => void) {
  for await (const payload of stream.responses) print(payload);
  const { ending } = stream;
  if (ending?.kind !== 'response') return;
  if (method.methodKind === 'client_streaming' || ending.payload.length > 0) print(ending.payload);
}

async function onlyRequest(requests: AsyncIterable<Uint8Array>, method: DescMethod): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const request of requests) {
    all.push(request);
    if (all.length > 1) throw new UsageError(`${method.name} takes one message; the input has more`);
  }
  return all[0] ?? new Uint8Array(0);
}

async function* readRequests(input: string | undefined, method: DescMethod, registry: Registry, io: Io) {
  for await (const text of jsonValues(texts(input, io))) {
    let message: Message;
    try {
      message = fromJsonString(method.input, text, { registry });
    } catch (error) {
      throw new UsageError(`message ${text.slice(0, 80)}: ${(error as Error).message}`);
    }
    yield toBinary(method.input, message);
  }
}

async function* texts(input: string | undefined, io: Io): AsyncGenerator<string> {
  if (input === undefined) return;
  if (input === '-') {
    const decoder = new TextDecoder();
    for await (const piece of untilStopped(io))
      yield typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  } else if (input.startsWith('@')) {
    try {
      yield readFileSync(input.slice(1), 'utf8');
    } catch (error) {
      throw new UsageError(`input ${input}: ${(error as Error).message}`);
    }
  } else yield input;
}

/** Standard input, which may stay open and silent for ever: a stop does not wait for its end. */
async function* untilStopped({ stdin, stop }: Io): AsyncGenerator<string | Uint8Array> {
  const stopped = new Promise<never>((_resolve, reject) => {
    if (stop.aborted) reject(canceled(stop.reason));
    else stop.addEventListener('abort', () => reject(canceled(stop.reason)), { once: true });
  });
  // Nobody may be waiting when it comes.
  stopped.catch(() => {});
  const pieces = stdin[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await Promise.race([pieces.next(), stopped]);
    if (done) return;
    yield value;
  }
}
