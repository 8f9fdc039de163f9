import { reboot, sync } from '@kata-mock/posix';

const LINUX_REBOOT_CMD_POWER_OFF = 0x4321fedc;

/** Ends the machine. Only for the guest's first program. */
export function powerOff(): never {
  sync();
  reboot(LINUX_REBOOT_CMD_POWER_OFF);
  // The kernel takes a moment to stop this thread.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
