import { stringifyJson } from '@kata-mock/oci-spec';
import type { Cache } from '../../cache/cache.ts';
import { distinctErrors, type GlobalOptions, type Io, openCache, UsageError } from '../context.ts';
import type { Format } from '../output.ts';

const subjects = {
  specs: (cache: Cache) => cache.specs().map(({ file }) => file),
  vendors: (cache: Cache) => cache.listVendors(),
  classes: (cache: Cache) => cache.listClasses(),
  devices: (cache: Cache) => [...cache.listDevices()],
  errors: (cache: Cache) => distinctErrors(cache).map(({ message }) => message),
};
type Subject = keyof typeof subjects;

const SETTLING_MS = 100;

/**
 * `cdi monitor [specs|vendors|classes|devices|all]…`: tells what comes and goes until `stop` is raised. What is there at the
 * start is told first, so nothing is missed in between.
 */
export async function monitor(
  asked: string[],
  options: GlobalOptions & { output: Format; verbose?: boolean },
  io: Io,
  stop: AbortSignal,
): Promise<void> {
  const watched = chosen(asked);
  const cache = await openCache(options, io, { watch: true, quiet: true });
  const known = new Map<Subject, string[]>();
  const tell = () => {
    for (const subject of watched) {
      const before = known.get(subject) ?? [];
      const now = subjects[subject](cache);
      known.set(subject, now);
      const added = now.filter((name) => !before.includes(name));
      const removed = before.filter((name) => !now.includes(name));
      if (added.length + removed.length > 0) report(io, options, cache, subject, added, removed);
    }
  };
  // A file that is not renamed into place is empty for a moment, which nobody wants to be told.
  let settling: NodeJS.Timeout | undefined;
  cache.onChange(() => {
    settling ??= setTimeout(() => {
      settling = undefined;
      tell();
    }, SETTLING_MS);
  });
  tell();
  io.err(`cdi: watching ${cache.specDirectories.join(', ')}\n`);
  await stopped(stop);
  clearTimeout(settling);
  cache.close();
}

function chosen(asked: string[]): Subject[] {
  const names = asked.length === 0 || asked.includes('all') ? Object.keys(subjects) : [...asked, 'errors'];
  for (const name of names) {
    if (!Object.hasOwn(subjects, name)) {
      throw new UsageError(
        `cannot monitor ${JSON.stringify(name)}; known are ${Object.keys(subjects).join(', ')}, all`,
      );
    }
  }
  return names as Subject[];
}

function report(
  io: Io,
  options: { output: Format; verbose?: boolean },
  cache: Cache,
  subject: Subject,
  added: string[],
  removed: string[],
): void {
  if (options.output === 'table') {
    const lines = [...removed.map((name) => `- ${subject} ${name}`), ...added.map((name) => `+ ${subject} ${name}`)];
    io.out(`${lines.join('\n')}\n`);
    return;
  }
  const details =
    options.verbose && subject === 'devices' ? { content: added.map((name) => cache.getDevice(name)?.spec) } : {};
  const event = { subject, added, removed, ...details };
  io.out(options.output === 'json' ? `${stringifyJson(event)}\n` : `---\n${stringifyJson(event, 2)}\n`);
}

/** Waits, and keeps the process alive meanwhile: watching alone does not. */
function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 2 ** 30);
    const end = () => {
      clearInterval(alive);
      resolve();
    };
    if (stop.aborted) end();
    else stop.addEventListener('abort', end, { once: true });
  });
}
