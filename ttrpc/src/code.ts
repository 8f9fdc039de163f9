/**
 * Status codes: those of gRPC (google.rpc.Code), which ttrpc uses unchanged.
 * What each means to a caller: https://grpc.io/docs/guides/status-codes/
 */
export const Code = {
  OK: 0,
  CANCELED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** One of the known codes. A peer may send a number that is none of them; it is kept as it came. */
export type Code = (typeof Code)[keyof typeof Code];

const names = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]));

/** The name of a code, `CODE_42` for a number that has none. */
export function codeName(code: number): string {
  return names.get(code) ?? `CODE_${code}`;
}
