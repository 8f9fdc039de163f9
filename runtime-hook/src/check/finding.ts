export interface Finding {
  name: string;
  /**
   * - `ok`
   * - `slower`: it works, another way
   * - `missing`: `kata-mock run` cannot work without it
   */
  result: 'ok' | 'slower' | 'missing';
  detail: string;
  /** What to do about it. */
  mend?: string;
}
