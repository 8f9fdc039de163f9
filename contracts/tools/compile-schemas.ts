/**
 * Compiles inventory.schema.json to a plain function with ajv, so that neither the hook nor the guest agent pays for
 * compiling a schema at start (half a second in an emulated guest).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';

const source = path.join(import.meta.dirname, '../src');
const schema = JSON.parse(readFileSync(path.join(source, 'inventory.schema.json'), 'utf8'), (key, value) =>
  key === 'description' ? undefined : value,
);
const ajv = new Ajv({ strict: true, unicodeRegExp: true, code: { source: true, esm: true, lines: true } });
ajv.addSchema(schema);
const code = standalone.default(ajv, { validate: schema.$id });

writeFileSync(
  path.join(source, 'gen/inventory-validate.ts'),
  `// Generated from inventory.schema.json by tools/compile-schemas.ts; do not edit.
// @ts-nocheck
interface SchemaCheck {
  (value: unknown): boolean;
  errors?: { instancePath: string; message?: string }[] | null;
}
${code.replace('export const validate = ', 'const validate = ').replace(/^"use strict";?\n?/, '')}
export const validateInventory: SchemaCheck = validate;
`,
);
