import { handlerFor } from './handler.ts';
import { addressesOf, passedFunctions } from './vfio-functions.ts';

/** A passed-through function that the guest's own driver uses: no node, only the address map. */
export const vfioPciGk = handlerFor(['vfio-pci-gk'], async (context, device) => {
  return { guestSteps: [], addresses: addressesOf(await passedFunctions(context, device)) };
});
