import type { CdiSpec } from '../types.ts';

/** Something in a spec that is wrong, or allowed but likely not meant. */
export interface Finding {
  /** `error`: the file is not used. `warning`: likely not meant. `note`: worth knowing. */
  severity: 'error' | 'warning' | 'note';
  /** Stable name of the rule. */
  rule: string;
  file: string;
  /** JSON path, when the finding has a place. */
  path?: string;
  message: string;
  /** What to do. */
  fix?: string;
}

/** A spec under examination. */
export interface Subject {
  file: string;
  spec: CdiSpec;
  /** As written, unless it could not be read as text. */
  text: string;
  format: 'json' | 'yaml';
  proposals: boolean;
}

/** What a rule has found: the file and the name of the rule are added by the caller. */
export type RuleFinding = Omit<Finding, 'file' | 'rule'>;

export type Rule = (subject: Subject) => Iterable<RuleFinding>;
