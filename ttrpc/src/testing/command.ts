import { run } from '../cli/program.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs the command in this process, to its end. */
export async function command(argv: string[], stdin: Iterable<string> = []): Promise<Ran> {
  return started(argv, stdin).done;
}

/** A command that runs until it is stopped. */
export function started(argv: string[], stdin: Iterable<string> | AsyncIterable<string> = []) {
  const controller = new AbortController();
  const ran = { out: '', err: '' };
  const watchers: { text: string; resolve: () => void }[] = [];
  const note = (stream: 'out' | 'err') => (text: string) => {
    ran[stream] += text;
    for (const watcher of watchers) if ((ran.out + ran.err).includes(watcher.text)) watcher.resolve();
  };
  const io = {
    stdin: (async function* () {
      yield* stdin;
    })(),
    out: note('out'),
    err: note('err'),
    stop: controller.signal,
  };
  const done = run(argv, io).then((code) => ({ code, ...ran }));
  return {
    done,
    /** Resolves when the text has been printed. */
    printed: (text: string) =>
      new Promise<void>((resolve) => {
        if ((ran.out + ran.err).includes(text)) resolve();
        watchers.push({ text, resolve });
      }),
    stop: () => {
      controller.abort();
      return done;
    },
  };
}
