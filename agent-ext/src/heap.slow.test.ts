import { expect, test } from 'vitest';
import { measureHeap } from '../bench/heap.ts';

const EACH = 50;
/** Bytes of the heap a container may leave behind. The smallest record the agent makes of one is several times that. */
const MOST_LEFT = 100;

test('containers that are gone leave nothing on the heap', { timeout: 300_000 }, async () => {
  const growth = await measureHeap(EACH, 4);
  for (const { containers, heapBytes, externalBytes } of growth)
    console.log(`after ${containers} containers: heap ${heapBytes}, outside ${externalBytes}`);
  const [before, after] = growth.slice(-2) as [(typeof growth)[0], (typeof growth)[0]];
  expect(after.heapBytes - before.heapBytes).toBeLessThan(MOST_LEFT * EACH);
  expect(after.externalBytes - before.externalBytes).toBeLessThan(MOST_LEFT * EACH);
});
