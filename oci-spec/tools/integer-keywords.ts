import { _, type Ajv, type KeywordCxt } from 'ajv';

/** The ranges of the specification's integers. JSON schema's own `integer` knows neither bigint nor these limits. */
const ranges: Record<string, { least: bigint; most: bigint }> = {
  int32: { least: -(2n ** 31n), most: 2n ** 31n - 1n },
  uint16: { least: 0n, most: 2n ** 16n - 1n },
  uint32: { least: 0n, most: 2n ** 32n - 1n },
  int64: { least: -(2n ** 63n), most: 2n ** 63n - 1n },
  uint64: { least: 0n, most: 2n ** 64n - 1n },
};

export const integerKeywords = Object.keys(ranges);

/** Teaches ajv the keywords `int32` to `uint64`: a safe integer or a bigint within the range. */
export function addIntegerKeywords(ajv: Ajv): Ajv {
  for (const [keyword, { least, most }] of Object.entries(ranges)) {
    ajv.addKeyword({
      keyword,
      schemaType: 'boolean',
      error: { message: `must be an integer from ${least} to ${most}` },
      code(context: KeywordCxt) {
        const { data } = context;
        // Comparisons between numbers and bigints are exact in JavaScript.
        context.fail(
          _`!((typeof ${data} === "bigint" || Number.isSafeInteger(${data})) && ${data} >= ${literal(least)} && ${data} <= ${literal(most)})`,
        );
      },
    });
  }
  return ajv;
}

/** Numbers beyond 2^53 appear in the generated code as bigint literals, which keeps them exact. */
function literal(value: bigint) {
  return Number.isSafeInteger(Number(value)) ? Number(value) : _`BigInt(${String(value)})`;
}
