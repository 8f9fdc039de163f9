/**
 * Writes src/gen/: the JSON schema of `Spec`, made from the TypeScript types by typescript-json-schema, and the validator
 * that ajv compiles from it.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateSchema } from './schema-of-type.ts';

const here = path.dirname(fileURLToPath(import.meta.url));

generateSchema({
  tsconfig: path.join(here, 'tsconfig.json'),
  type: 'Spec',
  id: 'https://kata-mock.dev/schema/oci-runtime-spec.json',
  title: 'OCI runtime specification 1.2 and 1.3',
  out: path.join(here, '../src/gen'),
  name: 'spec',
});
