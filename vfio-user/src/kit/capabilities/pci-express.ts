import { type Capability, capability } from './capability.ts';

const DEVCTL = 0x08;
const FLR = 0x8000;

export interface ExpressOptions {
  /** 0 endpoint (default), 1 legacy endpoint, 9 root complex integrated endpoint. */
  type?: number;
  /** 1 = 2.5 GT/s … 5 = 32 GT/s. Default 4 (16 GT/s). */
  linkSpeed?: number;
  /** Lanes. Default 16. */
  linkWidth?: number;
}

/** PCI Express endpoint, version 2, with function level reset and extended tags. */
export function pciExpress(options: ExpressOptions = {}): Capability {
  const { type = 0, linkSpeed = 4, linkWidth = 16 } = options;
  const link = linkSpeed | (linkWidth << 4);
  return capability(
    0x10,
    0x3c,
    (view) => {
      view.setUint16(0x02, 2 | (type << 4), true);
      view.setUint32(0x04, 0x1000_8021, true);
      view.setUint16(DEVCTL, 0x2810, true);
      view.setUint32(0x0c, link, true);
      view.setUint16(0x12, link, true);
      view.setUint32(0x24, 0x1f, true);
      view.setUint32(0x2c, ((1 << linkSpeed) - 1) << 1, true);
      view.setUint16(0x30, linkSpeed, true);
    },
    {
      place(fn, offset) {
        const { config } = fn;
        config.allow(offset + DEVCTL, 2, 0xffff);
        config.allowClear(offset + 0x0a, 2, 0x000f);
        config.allow(offset + 0x10, 2, 0x00cb);
        config.allow(offset + 0x28, 2, 0x041f);
        config.allow(offset + 0x30, 2, 0x000f);
        config.watch(offset + DEVCTL, 2, (how) => {
          const control = config.view.getUint16(offset + DEVCTL, true);
          if ((control & FLR) === 0) return;
          // The bit always reads 0.
          config.view.setUint16(offset + DEVCTL, control & ~FLR, true);
          if (how === 'written') fn.functionLevelReset();
        });
      },
    },
  );
}
