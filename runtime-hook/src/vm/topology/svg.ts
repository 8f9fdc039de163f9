import { escapeXml } from '../lifecycle/timeline-chart.ts';
import type { SandboxDevice } from '../sandbox/state.ts';

/** What the drawing needs of a device. */
export type DrawnDevice = Omit<SandboxDevice, 'uuid' | 'cdiName'>;

const [columnWidth, rowHeight, boxWidth, boxHeight] = [190, 64, 165, 44];

/** Left to right: device host, root complex, root port, function in the guest, container. One row a device. */
export function topologySvg(title: string, devices: DrawnDevice[]): string {
  const rows = devices.map((device, row) => deviceRow(device, 60 + row * rowHeight));
  const headings = ['device host', 'root bus', 'root port', 'guest', 'container'];
  const [width, height] = [columnWidth * headings.length + 20, 80 + devices.length * rowHeight];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>${escapeXml(title)}</title>
<text x="10" y="20" font-size="14">${escapeXml(title)}</text>
${headings.map((text, column) => `<text x="${left(column)}" y="46" fill="#555">${text}</text>`).join('\n')}
${rows.join('\n')}
</svg>
`;
}

function deviceRow(device: DrawnDevice, y: number): string {
  const { bus, port } = place(device.deviceTreePath);
  const node = device.numaNode < 0 ? 'no NUMA node' : `NUMA node ${device.numaNode}`;
  const boxes: [string, string][] = [
    [`${device.index}: ${device.model}`, device.hostAddress],
    [bus, node],
    [`slot ${port}`, ''],
    [device.guestAddress ?? 'not numbered yet', device.guestNode ?? ''],
    [device.containerPath, ''],
  ];
  const middle = y + boxHeight / 2;
  const lines = boxes
    .slice(1)
    .map((_, column) => `<path d="M${left(column) + boxWidth} ${middle}H${left(column + 1)}" stroke="#888"/>`);
  return [...lines, ...boxes.map((texts, column) => box(left(column), y, texts, device.numaNode))].join('\n');
}

/** Below a root bus of 0x20 and up when the path has three elements and starts with one; else below pcie.0. */
function place(path: string): { bus: string; port: string } {
  const elements = path.split('/');
  const own = elements.length >= 3 && Number.parseInt(elements[0] ?? '', 16) >= 0x20;
  return { bus: `0000:${own ? elements[0] : '00'}`, port: (own ? elements[1] : elements[0]) ?? '' };
}

const fills = ['#e3eefb', '#fdeedd', '#e6f5e3', '#f6e5f6'];

function box(x: number, y: number, [first, second]: [string, string], numaNode: number): string {
  const fill = numaNode < 0 ? '#f2f2f2' : fills[numaNode % fills.length];
  const text = (line: string, dy: number) => `<text x="${x + 8}" y="${y + dy}">${escapeXml(line)}</text>`;
  const rect = `<rect x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="4" fill="${fill}" stroke="#888"/>`;
  return rect + text(first, second === '' ? 27 : 18) + (second === '' ? '' : text(second, 35));
}

function left(column: number): number {
  return 10 + column * columnWidth;
}
