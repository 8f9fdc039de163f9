/** Writes src/gen/: the JSON schema of `CdiSpec`, made from its TypeScript type, and the validator compiled from it. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateSchema } from '../../oci-spec/tools/schema-of-type.ts';

const here = path.dirname(fileURLToPath(import.meta.url));

generateSchema({
  tsconfig: path.join(here, 'tsconfig.json'),
  type: 'CdiSpec',
  id: 'https://kata-mock.dev/schema/cdi.json',
  title: 'Container Device Interface 1.1.0',
  out: path.join(here, '../src/gen'),
  name: 'cdi',
});
