import { UsageError } from './context.ts';

/** Whether a name asked for is a pattern. */
export function isGlob(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/**
 * A pattern of Go's filepath.Match: `*` and `?` stop at "/", `[a-z]` and `[^a-z]` are classes, `\` takes the next letter
 * as it is.
 * @throws {UsageError} when a class has no end
 */
export function globToRegExp(glob: string): RegExp {
  let source = '';
  for (let at = 0; at < glob.length; at++) {
    const letter = glob.charAt(at);
    if (letter === '*') source += '[^/]*';
    else if (letter === '?') source += '[^/]';
    else if (letter === '[') {
      const end = glob.indexOf(']', at + 2);
      if (end < 0) throw new UsageError(`pattern ${JSON.stringify(glob)}: "[" without "]"`);
      source += `[${glob.slice(at + 1, end).replace(/[\\[]/g, '\\$&')}]`;
      at = end;
    } else if (letter === '\\' && at + 1 < glob.length) source += literal(glob.charAt(++at));
    else source += literal(letter);
  }
  return new RegExp(`^${source}$`);
}

function literal(letter: string): string {
  return letter.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
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
    const pattern = globToRegExp(text);
    const matches = devices.filter((device) => pattern.test(device));
    if (matches.length === 0) unmatched.push(text);
    names.push(...matches.filter((name) => !names.includes(name)));
  }
  return { names, unmatched };
}
