/** The program that measureGuest() runs in a container of the guest: device handling on a fake tree, as one JSON line. */
import { DEVICE_COUNTS, measureDevices } from './devices.ts';

/** Fewer than on the host: under emulation each takes some forty times as long. */
const ROUNDS = 9;

const figures = [];
for (const count of DEVICE_COUNTS) figures.push(await measureDevices(count, ROUNDS));
console.log(JSON.stringify(figures));
