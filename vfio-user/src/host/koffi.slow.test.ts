/** A host again, and bytes that nobody should send, through koffi: as on a machine where posix's addon was not built. */
import { expect, test } from 'vitest';

process.env['KATA_MOCK_POSIX'] = 'koffi';
await import('./host.slow.test.ts');

test('a host lives through what nobody should send', async () => {
  const { fuzzLive } = await import('../fuzz/live.ts');
  expect(await fuzzLive({ messages: 4000, seed: 7 })).toMatchObject({ messages: 4000, connections: 20 });
}, 30_000);
