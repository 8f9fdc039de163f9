import net from 'node:net';
import { VfioUserError, type VfioUserErrorCode } from '../errors.ts';

const TIMEOUT_MS = 5000;

/** Calls one method of a control socket. Throws VfioUserError with the code the host answered. */
export async function controlCall(
  path: string,
  method: string,
  params: Record<string, unknown> = {},
): Promise<unknown> {
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = net.connect(path);
    socket.setEncoding('utf8');
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    socket.on('connect', () => socket.write(`${JSON.stringify({ method, params })}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      socket.destroy();
      resolve(text);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the host closed the connection')));
  }).catch((cause: Error) => {
    throw new VfioUserError('DISCONNECTED', `control socket ${path}: ${cause.message}`, { cause });
  });
  const reply = JSON.parse(line) as { result?: unknown; error?: { code: string; message: string } };
  if (reply.error) throw new VfioUserError(reply.error.code as VfioUserErrorCode, reply.error.message);
  return reply.result;
}
