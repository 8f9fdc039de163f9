/** One of several processes that compete for leases: `racer.testing.ts RUN_DIR COUNT ROUNDS`. Prints what it got. */
import { processIdentity } from '../vm/process/identity.ts';
import { Leases } from './leases.ts';

const [runDirectory = '', count = '1', rounds = '1'] = process.argv.slice(2);
const owner = processIdentity(process.pid);
if (!owner) throw new Error('no /proc');
const leases = new Leases(runDirectory);
const got: string[][] = [];
for (let round = 0; round < Number(rounds); round++) {
  const addresses = await leases.acquire(Number(count), { owner, sandboxId: String(process.pid) });
  got.push(addresses);
  // Keep the last round's, so that the parent can compare all of them.
  if (round < Number(rounds) - 1) leases.release(addresses);
}
console.log(JSON.stringify(got.at(-1)));
process.stdin.resume().on('end', () => process.exit(0));
