import { Code } from './code.ts';
import { TtrpcError } from './errors.ts';
import { Echo, type Text } from './gen/ttrpc/test/v1/echo_pb.ts';
import { MAX_BODY_LENGTH } from './protocol/frame.ts';
import type { HandlerContext } from './server/context.ts';
import type { Handlers } from './server/handlers.ts';
import { tooLong } from './stream/failures.ts';

/** Largest N that `Big` makes; what lies between this and a frame's limit is left to the server to refuse. */
const MAX_BIG = 64 * 1024 * 1024;

/** The service `ttrpc.test.v1.Echo` of `ttrpc serve`: one method for each thing a client may want to try. */
export const echoHandlers: Handlers<typeof Echo> = {
  unary: (request) => ({ text: request.text }),

  async *serverStream(request) {
    for (const text of request.text.split(' ')) yield { text };
  },

  async clientStream(requests) {
    const texts: string[] = [];
    for await (const request of requests) texts.push(request.text);
    return { text: texts.join(' ') };
  },

  async *bidi(requests) {
    for await (const request of requests) yield { text: request.text };
  },

  slow: (_request, context) => untilCutOff(context),

  empty: () => ({}),

  big(request) {
    const length = wholeNumber(request, Number.MAX_SAFE_INTEGER);
    if (length > MAX_BIG) throw tooLong(length, MAX_BODY_LENGTH);
    return { text: 'x'.repeat(length) };
  },

  fail(request) {
    const code = wholeNumber(request, 0x7fff_ffff);
    throw new TtrpcError(code as Code, `failed with code ${code}, as asked`);
  },
};

/** Never answers: the server does, at the deadline or when the connection goes. */
function untilCutOff({ signal }: HandlerContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function wholeNumber(request: Text, max: number): number {
  const number = /^\d{1,16}$/.test(request.text) ? Number(request.text) : Number.NaN;
  if (number <= max) return number;
  const text = JSON.stringify(request.text.slice(0, 64));
  throw new TtrpcError(Code.INVALID_ARGUMENT, `text ${text} is not a whole number up to ${max}`);
}

export { Echo };
