import type { Duplex } from 'node:stream';
import { decodeResponse, encodeRequest, type Request } from '../protocol/envelope.ts';
import { encodeFrame } from '../protocol/frame.ts';
import { FrameDecoder } from '../protocol/frame-decoder.ts';
import { decodeStatus } from '../protocol/status.ts';

export interface WireFrame {
  id: number;
  type: number;
  flags: number;
  body: Buffer;
}

/** One end of a connection that speaks frames and bytes, right or wrong ones. */
export class WirePeer {
  readonly duplex: Duplex;
  readonly #frames: WireFrame[] = [];
  #waiting: ((frame: WireFrame) => void) | undefined;
  /** Every byte that came, for golden comparisons. */
  readonly received: Buffer[] = [];

  constructor(duplex: Duplex) {
    this.duplex = duplex;
    const decoder = new FrameDecoder({
      frame: (id, type, flags, body) => this.#take({ id, type, flags, body: Buffer.from(body) }),
      oversize: (id, type, flags) => this.#take({ id, type, flags, body: Buffer.from('over the limit') }),
    });
    duplex.on('data', (chunk: Buffer) => {
      this.received.push(chunk);
      decoder.push(chunk);
    });
  }

  bytes(bytes: Uint8Array | string): void {
    this.duplex.write(typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(/\s/g, ''), 'hex') : bytes);
  }

  frame(id: number, type: number, flags: number, body: Uint8Array | string = ''): void {
    const bytes = typeof body === 'string' ? Buffer.from(body.replaceAll(/\s/g, ''), 'hex') : body;
    this.bytes(encodeFrame(id, type, flags, bytes));
  }

  request(id: number, flags: number, request: Partial<Request>): void {
    const whole: Request = {
      service: 'ttrpc.test.v1.Echo',
      method: 'Unary',
      payload: new Uint8Array(0),
      timeoutMs: undefined,
      metadata: undefined,
      ...request,
    };
    this.frame(id, 1, flags, encodeRequest(whole));
  }

  /** The next frame, in order. */
  next(): Promise<WireFrame> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** The next frame as `id: words`: a status as `CODE message`, a payload or data as hex. */
  async told(): Promise<string> {
    return tell(await this.next());
  }

  #take(frame: WireFrame): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#frames.push(frame);
    else waiting(frame);
  }
}

function tell({ id, type, flags, body }: WireFrame): string {
  if (type !== 2) return `${id}: type ${type} flags ${flags} ${body.toString('hex')}`.trimEnd();
  const { status, payload } = decodeResponse(body);
  const error = status === undefined ? undefined : decodeStatus(status);
  if (error !== undefined) return `${id}: ${error.codeName} ${error.message}`;
  return `${id}: OK ${Buffer.from(payload).toString('hex')}`.trimEnd();
}
