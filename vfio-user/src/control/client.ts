import net from 'node:net';
import { VfioUserError, type VfioUserErrorCode } from '../errors.ts';

/** Until the answer is there whole, ms. */
const TIMEOUT_MS = 5000;
/** Of an answer; the longest there are, of registers and faults, have some thousand characters. */
const MAX_REPLY_CHARACTERS = 1 << 24;

/** Calls one method of a control socket. Throws VfioUserError with the code the host answered; DISCONNECTED after `timeoutMs`. */
export async function controlCall(
  path: string,
  method: string,
  params: Record<string, unknown> = {},
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = net.connect(path);
    const timer = setTimeout(() => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify({ method, params })}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (chunk.includes('\n')) {
        resolve(text);
        socket.destroy();
      } else if (text.length > MAX_REPLY_CHARACTERS)
        socket.destroy(new Error(`the answer is longer than ${MAX_REPLY_CHARACTERS} characters`));
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new Error('the host closed the connection'));
    });
  }).catch((cause: Error) => {
    throw new VfioUserError('DISCONNECTED', `control socket ${path}: ${cause.message}`, { cause });
  });
  const reply = parse(path, line);
  if (reply.error) throw new VfioUserError(reply.error.code as VfioUserErrorCode, reply.error.message);
  return reply.result;
}

function parse(path: string, line: string): { result?: unknown; error?: { code: string; message: string } } {
  try {
    return JSON.parse(line) as ReturnType<typeof parse>;
  } catch (cause) {
    const text = JSON.stringify(line.slice(0, 80));
    throw new VfioUserError('PROTOCOL', `control socket ${path}: the answer ${text} is no JSON`, { cause });
  }
}
