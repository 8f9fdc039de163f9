/** Everything again through koffi, as on a machine where the addon was not built. */
import { expect, it } from 'vitest';

process.env['KATA_MOCK_POSIX'] = 'koffi';
const { native } = await import('./native.ts');

it('koffi is what the tests below go through', () => expect(native().name).toBe('koffi'));

await import('./native.test.ts');
await import('./message.test.ts');
await import('./message-exchange.test.ts');
await import('./memory.test.ts');
await import('./eventfd-shared.test.ts');
await import('./socket.test.ts');
await import('./descriptors.test.ts');
await import('./openat2.test.ts');
