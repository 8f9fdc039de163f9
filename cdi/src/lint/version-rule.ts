import { requiredVersion, versionIndex } from '../version.ts';
import type { Rule } from './finding.ts';

/** A version higher than needed keeps older runtimes from reading the file. */
export const versionHigherThanNeeded: Rule = function* ({ spec, proposals }) {
  const { version, because } = requiredVersion(spec, proposals);
  if (versionIndex(spec.cdiVersion, proposals) <= versionIndex(version, proposals)) return;
  yield {
    severity: 'note',
    path: '$.cdiVersion',
    message: `the spec declares ${spec.cdiVersion} and needs ${version} only${because && ` (for ${because})`}`,
    fix: `write cdiVersion: "${version}" to let older runtimes read it`,
  };
};
