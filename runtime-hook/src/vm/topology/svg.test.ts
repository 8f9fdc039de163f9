import { expect, it } from 'vitest';
import { topologySvg } from './svg.ts';

it('names root bus, port, addresses and paths of each device', () => {
  const svg = topologySvg('demo <1>', [
    {
      index: 0,
      model: 'mock-accel',
      hostAddress: '0000:1a:00.0',
      guestAddress: '0000:a1:00.0',
      numaNode: 1,
      deviceTreePath: 'a0/03/00',
      guestNode: '/dev/mock1',
      containerPath: '/dev/mock0',
    },
    {
      index: 1,
      model: 'mock-accel',
      hostAddress: '0000:1b:00.0',
      numaNode: -1,
      deviceTreePath: '11/00',
      containerPath: '/dev/mock1',
    },
  ]);
  for (const text of [
    'demo &#60;1&#62;',
    '0000:a0',
    'slot 03',
    'slot 11',
    'NUMA node 1',
    'no NUMA node',
    'not numbered yet',
  ]) {
    expect(svg).toContain(text);
  }
});
