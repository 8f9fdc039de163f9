/** A deep copy of JSON data. Much faster than structuredClone, which serialises. */
export function copyJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const result = new Array(value.length);
    for (let index = 0; index < value.length; index++) result[index] = copyJson(value[index]);
    return result as T;
  }
  const result: Record<string, unknown> = {};
  for (const name in value) {
    if (name === '__proto__') {
      Object.defineProperty(result, name, {
        value: copyJson(value[name as keyof T & string]),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    } else result[name] = copyJson((value as Record<string, unknown>)[name]);
  }
  return result as T;
}
