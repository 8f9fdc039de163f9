import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly values: readonly { readonly label?: string; readonly value: number }[];
}

/** Figures of guest and agent in Prometheus' text form, with the names Kata's agent uses. */
export function metricsText(): string {
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  const { rss, heapUsed } = process.memoryUsage();
  const metrics: Metric[] = [
    { name: 'kata_agent_total_rss', help: 'Agent process total rss size, bytes', values: [{ value: rss }] },
    { name: 'kata_agent_heap_used', help: 'Agent JavaScript heap in use, bytes', values: [{ value: heapUsed }] },
    {
      name: 'kata_guest_load',
      help: 'Guest system load',
      values: [
        { label: 'load1', value: one },
        { label: 'load5', value: five },
        { label: 'load15', value: fifteen },
      ],
    },
    { name: 'kata_guest_meminfo', help: 'Guest /proc/meminfo, bytes', values: meminfo() },
  ];
  return metrics.map(format).join('');
}

function meminfo(): Metric['values'] {
  const text = readFileSync('/proc/meminfo', 'utf8');
  return [...text.matchAll(/^(\w+):\s+(\d+) kB$/gm)].map(([, name, kilobytes]) => ({
    label: (name as string).toLowerCase(),
    value: Number(kilobytes) * 1024,
  }));
}

function format({ name, help, values }: Metric): string {
  const lines = values.map(({ label, value }) => `${name}${label === undefined ? '' : `{item="${label}"}`} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}
