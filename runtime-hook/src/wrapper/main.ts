/** `main.js WRAPPER_PID WRAPPER_DIRECTORY QEMU_ARGUMENT...`, started by wrapper/kata-mock-qemu in the sandbox's bundle. */
import { writeSync } from 'node:fs';
import { closeInherited } from '../device-host/inherited.ts';
import { runHook } from './hook.ts';

const [wrapperPid = '', wrapperDirectory = '', ...args] = process.argv.slice(2);
try {
  closeInherited(Number(wrapperPid));
  await runHook({
    wrapperPid: Number(wrapperPid),
    wrapperDirectory,
    args,
    bundle: process.cwd(),
    env: process.env,
  });
  process.exit(0);
} catch (error) {
  const { message, hint } = error as Error & { hint?: string };
  // The shim logs each line of its own, at most 64 KiB.
  writeSync(2, `kata-mock-qemu: ${message.slice(0, 4096)}\n${hint ? `kata-mock-qemu: ${hint}\n` : ''}`);
  process.exit(1);
}
