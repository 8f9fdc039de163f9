import { Command } from '../../protocol/index.ts';
import { deviceFeature } from './device-feature.ts';
import { deviceInfo } from './device-info.ts';
import { deviceReset } from './device-reset.ts';
import { dmaMap } from './dma-map.ts';
import { dmaUnmap } from './dma-unmap.ts';
import type { Handler } from './handler.ts';
import { irqInfo } from './irq-info.ts';
import { migDataRead, migDataWrite } from './mig-data.ts';
import { regionRead, regionWrite } from './region-access.ts';
import { regionInfo } from './region-info.ts';
import { regionIoFds } from './region-io-fds.ts';
import { setIrqs } from './set-irqs.ts';
import { version } from './version.ts';
import { writeMulti } from './write-multi.ts';

const entries: [number, Handler][] = [
  [Command.VERSION, version],
  [Command.DMA_MAP, dmaMap],
  [Command.DMA_UNMAP, dmaUnmap],
  [Command.DEVICE_GET_INFO, deviceInfo],
  [Command.DEVICE_GET_REGION_INFO, regionInfo],
  [Command.DEVICE_GET_REGION_IO_FDS, regionIoFds],
  [Command.DEVICE_GET_IRQ_INFO, irqInfo],
  [Command.DEVICE_SET_IRQS, setIrqs],
  [Command.REGION_READ, regionRead],
  [Command.REGION_WRITE, regionWrite],
  [Command.DEVICE_RESET, deviceReset],
  [Command.REGION_WRITE_MULTI, writeMulti],
  [Command.DEVICE_FEATURE, deviceFeature],
  [Command.MIG_DATA_READ, migDataRead],
  [Command.MIG_DATA_WRITE, migDataWrite],
];

/** What a client may ask for, by command number. */
export const handlers: readonly (Handler | undefined)[] = entries.reduce<(Handler | undefined)[]>(
  (table, [command, handler]) => {
    table[command] = handler;
    return table;
  },
  [],
);
