/**
 * The program that measures device handling, in a process of its own for each figure:
 * `node devices-program.mjs COUNT SETTLE_MS`. Prints the figures as one JSON line. The recorded request is beside it.
 */
import { readFileSync } from 'node:fs';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { CreateContainerRequestSchema } from '@kata-mock/contracts';
import { measureDevices } from './devices.ts';

const recorded = JSON.parse(readFileSync(new URL('request.json', import.meta.url), 'utf8')) as JsonValue;
const [count, settleMs] = process.argv.slice(2).map(Number) as [number, number];
const figures = await measureDevices(count, fromJson(CreateContainerRequestSchema, recorded), settleMs);
console.log(JSON.stringify(figures));
