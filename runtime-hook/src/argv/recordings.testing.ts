/** Argument lists to test on; see fixtures/README.md. */
import kata321 from '../../fixtures/kata-3.21-qemu-argv.json' with { type: 'json' };
import runtimeRs from '../../fixtures/runtime-rs-qemu-argv.json' with { type: 'json' };

export const recordings: readonly { name: string; argv: string[] }[] = [...kata321, ...runtimeRs];
/** What the Go shim gave QEMU for the simplest sandbox. */
export const smallest: readonly string[] = kata321[0]?.argv ?? [];
