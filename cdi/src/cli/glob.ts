import { quote } from '../errors.ts';
import { UsageError } from './context.ts';

/** Whether a name asked for is a pattern. */
export function isGlob(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/** One step of a pattern: any run of letters but "/", or one letter that passes. */
type Step = 'run' | ((letter: string) => boolean);

/**
 * A pattern of Go's filepath.Match: `*` and `?` stop at "/", `[a-z]` and `[^a-z]` are classes, `\` takes the next letter
 * as it is. Takes all positions of the pattern along at once: a regular expression would try one after the other, for
 * longer than anybody waits when there are many `*`.
 * @throws {UsageError} when a class has no end or a range is the wrong way round
 */
export function globMatcher(glob: string): (text: string) => boolean {
  const steps = stepsOf(glob);
  return (text) => {
    let at = closure(steps, [0]);
    for (const letter of text) {
      const next: number[] = [];
      for (const position of at) {
        const step = steps[position];
        if (step === 'run' ? letter !== '/' : step?.(letter)) next.push(step === 'run' ? position : position + 1);
      }
      if (next.length === 0) return false;
      at = closure(steps, next);
    }
    return at.has(steps.length);
  };
}

/** The positions reached without taking a letter: a run may be empty. */
function closure(steps: readonly Step[], from: readonly number[]): Set<number> {
  const reached = new Set<number>();
  for (let position of from) {
    reached.add(position);
    while (steps[position] === 'run') reached.add(++position);
  }
  return reached;
}

function stepsOf(glob: string): Step[] {
  const steps: Step[] = [];
  const letters = [...glob];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] as string;
    if (letter === '*') {
      if (steps.at(-1) !== 'run') steps.push('run');
    } else if (letter === '?') steps.push((found) => found !== '/');
    else if (letter === '[') {
      const end = letters.indexOf(']', at + 2);
      if (end < 0) throw new UsageError(`pattern ${quote(glob)}: "[" without "]"`);
      steps.push(letterClass(letters.slice(at + 1, end).join(''), glob));
      at = end;
    } else {
      const wanted = letter === '\\' && at + 1 < letters.length ? letters[++at] : letter;
      steps.push((found) => found === wanted);
    }
  }
  return steps;
}

function letterClass(source: string, glob: string): Step {
  try {
    const pattern = new RegExp(`^[${source.replace(/[\\[]/g, '\\$&')}]$`, 'u');
    return (letter) => pattern.test(letter);
  } catch {
    throw new UsageError(`pattern ${quote(glob)}: bad class "[${source}]"`);
  }
}

/**
 * Names asked for as devices: exact ones as they are, in their order, patterns as all devices that match. The reference
 * takes every name for a pattern, so that a misspelt one is not noticed; `compat: 'go'` does the same.
 */
export function expandNames(
  asked: readonly string[],
  devices: readonly string[],
  compat?: 'go',
): { names: string[]; unmatched: string[] } {
  const names: string[] = [];
  const unmatched: string[] = [];
  for (const text of asked) {
    if (!isGlob(text) && compat !== 'go') {
      names.push(text);
      continue;
    }
    const isMatch = globMatcher(text);
    const matches = devices.filter(isMatch);
    if (matches.length === 0) unmatched.push(text);
    names.push(...matches.filter((name) => !names.includes(name)));
  }
  return { names, unmatched };
}
