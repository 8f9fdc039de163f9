/** Runs in a guest: carries bytes between a virtio-serial port, whose other end is the test's, and a vsock address. */
import fs from 'node:fs';
import { FdDuplex, vsockOpen } from '@kata-mock/posix';

const [name, cid, port] = process.argv.slice(2) as [string, string, string];
const ports = '/sys/class/virtio-ports';
const device = fs.readdirSync(ports).find((entry) => fs.readFileSync(`${ports}/${entry}/name`, 'utf8').trim() === name);
if (!device) throw new Error(`no virtio-serial port ${name}`);
const serial = new FdDuplex(fs.openSync(`/dev/${device}`, fs.constants.O_RDWR | fs.constants.O_NONBLOCK));

const vsock = await listening();
serial.pipe(vsock).pipe(serial);
for (const end of [serial, vsock]) end.once('close', () => process.exit(0));

/** The agent may still be on its way. */
async function listening(): Promise<FdDuplex> {
  for (;;) {
    try {
      return await vsockOpen(Number(cid), Number(port));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
