/**
 * PCI domain of the host addresses made up for devices that are given none. ac00 (for accelerator) is far from the few
 * domains real machines have, and nobody may ask for an address in it, so each of them belongs to one lease.
 */
export const madeUpDomain = 'ac00';
