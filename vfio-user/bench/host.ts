/** Serves `COUNT` mock-accel functions on `DIRECTORY/d<i>.sock` until it is told to stop; OPTIONS (JSON) are the model's. */
import path from 'node:path';
import { startControlServer } from '../src/control/server.ts';
import { startHost } from '../src/host/host.ts';

const [directory = '.', count = '1', options = '{}'] = process.argv.slice(2);
const functions = Array.from({ length: Number(count) }, (_, index) => ({
  id: `d${index}`,
  socketPath: path.join(directory, `d${index}.sock`),
  model: 'mock-accel',
  options: { uuid: `BENCH-${index}`, ...JSON.parse(options) },
}));

async function serve(): Promise<void> {
  const host = await startHost({ functions, onClientGone: 'relisten' });
  await startControlServer(host, path.join(directory, 'control.sock'));
  process.on('SIGTERM', () => void host.stop().then(() => process.exit(0)));
}

void serve();
