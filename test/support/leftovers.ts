import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** Processes that were started with this run directory, or have a file of it open or in their arguments. */
export function processesOf(runDir: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    // A process that has ended and waits for its parent has neither.
    if (command === '') continue;
    if (command.includes(runDir) || read(`/proc/${pid}/environ`).includes(`KATA_MOCK_RUN_DIR=${runDir}\0`)) {
      found.push({ pid, command });
    }
  }
  return found;
}

/** Mounts below a directory that any process sees. */
export function mountsOf(directory: string): string[] {
  const namespaces = new Map<string, string>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const namespace = readlinkSync(`/proc/${entry}/ns/mnt`);
      if (!namespaces.has(namespace)) namespaces.set(namespace, read(`/proc/${entry}/mountinfo`));
    } catch {
      // Gone since the listing.
    }
  }
  const lines = [...namespaces.values()].flatMap((text) => text.split('\n'));
  return lines.filter((line) => line.split(' ')[4]?.startsWith(directory));
}

/** Everything a test's sandboxes have left on the host: processes, mounts, sockets, files. */
export function leftovers(runDir: string): string[] {
  return [
    ...processesOf(runDir).map(({ pid, command }) => `process ${pid}: ${command.slice(0, 200)}`),
    ...mountsOf(runDir).map((line) => `mount: ${line}`),
    ...filesOf(runDir).map((file) => `file: ${file}`),
  ];
}

/** What a run directory keeps for the next run: its first level, a lock that must not be removed, what was found out. */
const KEPT = new Set(['sandboxes', 'vm', 'leases', 'config.toml', 'kvm-probe.json', 'vm/.lock', 'leases/.lock']);

/** Files, sockets and directories below the run directory that belong to no running sandbox. */
function filesOf(runDir: string): string[] {
  if (!existsSync(runDir)) return [];
  return readdirSync(runDir, { recursive: true, withFileTypes: true })
    .map((entry) => path.relative(runDir, path.join(entry.parentPath, entry.name)))
    .filter((name) => !KEPT.has(name))
    .sort();
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
