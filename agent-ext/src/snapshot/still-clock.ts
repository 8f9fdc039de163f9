/**
 * Imported first: while the snapshot is made the clock stands at zero. A library that notes the time when it is loaded
 * (pino does, for a format of time stamps that is not ours) would make each build of the image differ.
 */
import { startupSnapshot } from 'node:v8';

const { now } = Date;
const { bigint } = process.hrtime;
Date.now = () => 0;
process.hrtime.bigint = () => 0n;

startupSnapshot.addDeserializeCallback(() => {
  Date.now = now;
  process.hrtime.bigint = bigint;
});
