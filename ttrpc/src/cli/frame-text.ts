import { type DescMessage, fromBinary, type Registry, toJsonString } from '@bufbuild/protobuf';
import { codeName } from '../code.ts';
import { decodeRequest, decodeResponse } from '../protocol/envelope.ts';
import { Flag, FrameType } from '../protocol/frame.ts';
import { decodeStatus } from '../protocol/status.ts';

/** Characters of a payload that a line shows. */
const MAX_PAYLOAD_TEXT = 400;

/** Names frames of one connection: it remembers which method a stream belongs to. */
export class FrameText {
  readonly #registry: Registry;
  readonly #methods = new Map<number, { service: string; method: string }>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** One frame in words; bytes that do not decode are shown as what they are. */
  describe(id: number, type: number, flags: number, body: Uint8Array, fromClient: boolean): string {
    const head = `stream ${id} ${typeName(type)}${flagNames(flags)} ${body.length} bytes`;
    try {
      return `${head}${this.#content(id, type, flags, body, fromClient)}`;
    } catch (error) {
      return `${head} does not decode (${(error as Error).message}): ${hex(body)}`;
    }
  }

  #content(id: number, type: number, flags: number, body: Uint8Array, fromClient: boolean): string {
    if (type === FrameType.REQUEST) {
      const { service, method, payload, timeoutMs, metadata } = decodeRequest(body);
      this.#methods.set(id, { service, method });
      const timeout = timeoutMs === undefined ? '' : ` timeout ${timeoutMs} ms`;
      const pairs = [...(metadata ?? [])].map(([key, value]) => ` ${key}=${JSON.stringify(value)}`).join('');
      const shown = (flags & Flag.NO_DATA) === 0 ? this.#payload(id, payload, true) : '';
      return ` ${service}/${method}${timeout}${pairs}${shown}`;
    }
    const ends = !fromClient && (type === FrameType.RESPONSE || (flags & Flag.REMOTE_CLOSED) !== 0);
    try {
      if (type === FrameType.DATA) return (flags & Flag.NO_DATA) !== 0 ? '' : this.#payload(id, body, fromClient);
      if (type !== FrameType.RESPONSE) return ` ${hex(body)}`;
      const { status, payload } = decodeResponse(body);
      const error = status === undefined ? undefined : decodeStatus(status);
      if (error !== undefined) return ` ${codeName(error.code)} ${JSON.stringify(error.message)}`;
      return ` OK${this.#payload(id, payload, false)}`;
    } finally {
      if (ends) this.#methods.delete(id);
    }
  }

  #payload(id: number, payload: Uint8Array, fromClient: boolean): string {
    const desc = this.#descriptor(id, fromClient);
    if (desc !== undefined) {
      try {
        return ` ${cut(toJsonString(desc, fromBinary(desc, payload), { registry: this.#registry }))}`;
      } catch {
        // Not that message after all: the bytes say what it is.
      }
    }
    return payload.length === 0 ? '' : ` ${hex(payload)}`;
  }

  #descriptor(id: number, fromClient: boolean): DescMessage | undefined {
    const names = this.#methods.get(id);
    if (names === undefined) return undefined;
    const method = this.#registry.getService(names.service)?.methods.find(({ name }) => name === names.method);
    return fromClient ? method?.input : method?.output;
  }
}

function typeName(type: number): string {
  const found = Object.entries(FrameType).find(([, value]) => value === type);
  return found === undefined ? `type ${type}` : found[0].toLowerCase();
}

function flagNames(flags: number): string {
  const names = Object.entries(Flag).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name.toLowerCase()]));
  if ((flags & ~7) !== 0) names.push(`0x${(flags & ~7).toString(16)}`);
  return names.length === 0 ? '' : `[${names.join(',')}]`;
}

function hex(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, MAX_PAYLOAD_TEXT / 2)).toString('hex');
  return bytes.length * 2 > MAX_PAYLOAD_TEXT ? `${shown}…` : shown;
}

function cut(text: string): string {
  return text.length > MAX_PAYLOAD_TEXT ? `${text.slice(0, MAX_PAYLOAD_TEXT)}…` : text;
}
