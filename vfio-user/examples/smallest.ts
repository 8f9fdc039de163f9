/** The smallest device: one BAR, one register that prints what the guest writes. */
import { pciDevice, serve } from '@kata-mock/vfio-user';

export default pciDevice({
  name: 'smallest',
  vendor: 0x1de5,
  device: 0x00ff,
  classCode: 0xff0000,
  registers: {
    0: {
      size: 4096,
      registers: { PRINT: { offset: 0, write: (value, device) => device.log(`the guest wrote ${value}`) } },
    },
  },
});

await serve(import.meta.url);
