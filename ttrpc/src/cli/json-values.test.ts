import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collect } from '../testing/pair.ts';
import { jsonValues } from './json-values.ts';
import { UsageError } from './usage.ts';

test('objects come out as they went in, however the text is split and set apart', async () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue());
  const between = fc.constantFrom('', ' ', '\n', ',', ', \t\n');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(object, between)), fc.integer({ min: 1, max: 20 }), async (objects, size) => {
      const text = objects.map(([value, gap]) => JSON.stringify(value) + gap).join('');
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.slice(i * size, (i + 1) * size),
      );
      const values = await collect(jsonValues(pieces));
      expect(values).toEqual(objects.map(([value]) => JSON.stringify(value)));
    }),
  );
});

test('any text at all gives values or a usage error', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ' ', ',', 'a') })),
      async (pieces) => {
        await collect(jsonValues(pieces)).catch((error: unknown) => expect(error).toBeInstanceOf(UsageError));
      },
    ),
  );
});

test('each object comes out as soon as its brace closes', async () => {
  const seen: string[] = [];
  const pieces = (function* () {
    yield '{"a":1}{"b"';
    seen.push('asked for more');
    yield ':2}';
  })();
  for await (const value of jsonValues(pieces)) seen.push(value);
  expect(seen).toEqual(['{"a":1}', 'asked for more', '{"b":2}']);
});

test('a message that grows beyond reason is refused', async () => {
  const pieces = (function* () {
    yield '{"a":"';
    for (;;) yield 'x'.repeat(1_000_000);
  })();
  await expect(collect(jsonValues(pieces))).rejects.toThrow('a message of more than 16777216 characters');
});
