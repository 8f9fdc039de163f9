/**
 * The number types of the specification. A 64-bit value that a JavaScript number cannot hold exactly is a bigint, every
 * other one a number, so `limit: 1073741824` stays as convenient as it looks.
 */

/**
 * Signed, 32 bits.
 * @int32 true
 */
export type Int32 = number;

/**
 * Unsigned, 16 bits.
 * @uint16 true
 */
export type Uint16 = number;

/**
 * Unsigned, 32 bits.
 * @uint32 true
 */
export type Uint32 = number;

/**
 * Signed, 64 bits: a bigint outside ±(2^53 - 1).
 * @int64 true
 */
export type Int64 = number | bigint;

/**
 * Unsigned, 64 bits: a bigint above 2^53 - 1.
 * @uint64 true
 */
export type Uint64 = number | bigint;

/** Free-form names and values. */
export type StringMap = { [name: string]: string };
