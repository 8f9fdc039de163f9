// Adds up the results that vitest left as JSON and ends with the one line that scripts read.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [folder, status = '0'] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  console.error(`usage: node tools/summary.mjs FOLDER [STATUS]: no test results at ${JSON.stringify(folder ?? '')}`);
  process.exit(2);
}

let passed = 0;
let failed = 0;
let skipped = 0;
for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
  const result = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
  passed += result.numPassedTests;
  // A file that could not even be loaded has no test that failed, yet it is a failure.
  const unloaded = result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  failed += result.numFailedTests + unloaded.length;
  skipped += result.numPendingTests + result.numTodoTests;
  for (const file of result.testResults) {
    const bad = file.assertionResults.filter((test) => test.status === 'failed');
    for (const test of bad) console.log(`failed: ${path.relative('.', file.name)}: ${test.fullName}`);
    if (file.status === 'failed' && bad.length === 0)
      console.log(`failed: ${path.relative('.', file.name)}: ${file.message}`);
  }
}
if (status !== '0' && failed === 0) {
  console.log(`failed: a step before or around the tests (exit status ${status}), see above`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
