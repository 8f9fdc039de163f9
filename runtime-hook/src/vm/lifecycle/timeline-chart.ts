import type { Stage } from './timeline.ts';

const barWidth = 40;

/** A bar chart of the stages for a terminal, one line a stage, to scale. */
export function timelineText(stages: Stage[]): string {
  const total = totalMs(stages);
  const width = Math.max(5, ...stages.map((stage) => stage.name.length));
  const lines = stages.map((stage) => {
    const from = Math.round((stage.startMs / total) * barWidth);
    const length = Math.max(1, Math.round((stage.durationMs / total) * barWidth));
    const bar = ' '.repeat(Math.min(from, barWidth - 1)) + '█'.repeat(length);
    return `  ${stage.name.padEnd(width)} ${seconds(stage.durationMs).padStart(8)}  ${bar}`.trimEnd();
  });
  return [...lines, `  ${'total'.padEnd(width)} ${seconds(total).padStart(8)}`, ''].join('\n');
}

/** The same as an SVG drawing. */
export function timelineSvg(stages: Stage[], title: string): string {
  const total = totalMs(stages);
  const [row, left, scale] = [24, 190, 520 / total];
  const bars = stages.map((stage, index) => {
    const y = 40 + index * row;
    const x = left + stage.startMs * scale;
    return [
      `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${escapeXml(stage.name)}</text>`,
      `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(1, stage.durationMs * scale).toFixed(1)}" height="18" rx="2" fill="#3b6ea8"/>`,
      `<text x="${(x + stage.durationMs * scale + 4).toFixed(1)}" y="${y + 14}" fill="#555">${seconds(stage.durationMs)}</text>`,
    ].join('');
  });
  const height = 60 + stages.length * row;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 ${height}" font-family="sans-serif" font-size="12">
<title>How long each stage took</title>
<text x="8" y="20" font-size="14">${escapeXml(title)}: ${seconds(total)}</text>
${bars.join('\n')}
</svg>
`;
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function totalMs(stages: Stage[]): number {
  return Math.max(1, ...stages.map((stage) => stage.startMs + stage.durationMs));
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
