/** Whether a path matches a pattern in which `*` stands for any characters but `/`. */
export function matchesGlob(path: string, pattern: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*');
  return new RegExp(`^${source}$`, 's').test(path);
}
