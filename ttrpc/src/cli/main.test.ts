import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { echoServer } from '../testing/served.ts';
import { tempFolder } from '../testing/temp.ts';

const main = path.join(import.meta.dirname, 'main.ts');

test('a call that has failed ends the program though standard input stays open', async () => {
  const server = echoServer();
  const { address } = await server.listen(`unix://${tempFolder()}/echo.sock`);
  onTestFinished(() => server.close());
  const argv = ['--import', 'tsx', '--conditions=@kata-mock/source', main];
  const call = spawn(process.execPath, [...argv, 'call', address, 'ttrpc.test.v1.Echo/Bidi', '-', '--timeout', '20ms']);
  onTestFinished(() => void call.kill());
  const [err, [code]] = await Promise.all([text(call.stderr), once(call, 'exit')]);
  expect({ code, err }).toEqual({ code: 1, err: 'ttrpc: DEADLINE_EXCEEDED: context deadline exceeded\n' });
}, 20_000);
