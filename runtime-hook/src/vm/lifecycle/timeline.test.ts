import { expect, it } from 'vitest';
import { Timeline } from './timeline.ts';
import { timelineSvg, timelineText } from './timeline-chart.ts';

function example(): Timeline {
  let now = 100;
  const timeline = new Timeline(() => now);
  timeline.begin('boot');
  now += 3000;
  timeline.begin('container');
  now += 1000;
  timeline.end();
  timeline.end();
  return timeline;
}

it('ends a stage when the next begins', () => {
  expect(example().stages()).toEqual([
    { name: 'boot', startMs: 0, durationMs: 3000 },
    { name: 'container', startMs: 3000, durationMs: 1000 },
  ]);
});

it('draws the stages to scale', () => {
  const lines = timelineText(example().stages()).split('\n');
  expect(lines[0]).toBe(`  boot        3.00 s  ${'█'.repeat(30)}`);
  expect(lines[1]).toBe(`  container   1.00 s  ${' '.repeat(30)}${'█'.repeat(10)}`);
  expect(lines[2]).toBe('  total       4.00 s');
});

it('escapes names in the drawing', () => {
  expect(timelineSvg([{ name: '<b>', startMs: 0, durationMs: 1 }], 'a & b')).toContain('&#60;b&#62;');
});
