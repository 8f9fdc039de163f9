import { decodeIrqInfo, encodeIrqInfo, IrqInfoFlag, PCI_IRQS, PciIrq, protocolError } from '../../protocol/index.ts';
import type { Handler } from './handler.ts';

export const irqInfo: Handler = (session, frame) => {
  const { index } = decodeIrqInfo(frame);
  if (index >= PCI_IRQS) throw protocolError(`DEVICE_GET_IRQ_INFO: index ${index}`);
  const level = index === PciIrq.INTX ? IrqInfoFlag.MASKABLE | IrqInfoFlag.AUTOMASKED : 0;
  const count = session.server.irqs.count(index);
  return session.put(encodeIrqInfo({ flags: IrqInfoFlag.EVENTFD | level, index, count }));
};
