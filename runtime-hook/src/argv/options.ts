/** One option of a QEMU command line, with its value where it takes one. */
export interface QemuOption {
  /** Without dashes: `device`, `no-reboot`. */
  name: string;
  value: string | undefined;
}

/** Options of QEMU that take no value; every other one does. */
const flags = new Set([
  ...['h', 'help', 'version', 'mem-prealloc', 'snapshot', 'usb', 'nographic', 'full-screen', 'win2k-hack'],
  ...['no-fd-bootchk', 'preconfig', 'S', 's', 'enable-kvm', 'no-reboot', 'no-shutdown', 'daemonize', 'singlestep'],
  ...['only-migratable', 'nodefaults', 'no-user-config', 'enable-sync-profile', 'perfmap', 'jitdump', 'no-acpi'],
  ...['no-hpet', 'xen-domid-restrict', 'semihosting', 'old-param', 'enable-fips', 'portrait', 'nouserconfig'],
]);

/** Splits an argument list the way QEMU does; one or two dashes mean the same. */
export function qemuOptions(args: readonly string[]): QemuOption[] {
  const options: QemuOption[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (!arg.startsWith('-')) continue; // a disk image; Kata gives none
    const name = arg.replace(/^--?/, '');
    options.push(flags.has(name) ? { name, value: undefined } : { name, value: args[++index] });
  }
  return options;
}

/**
 * Properties of an option's value, in either of QEMU's forms: `driver,key=value,…` (a comma inside a value is doubled)
 * or a JSON object. The leading part without `=` is stored under `implied`. A malformed JSON text has no properties:
 * it is QEMU's to refuse it.
 */
export function properties(value: string, implied: string): Map<string, string> {
  if (value.startsWith('{')) return fromJson(value);
  const found = new Map<string, string>();
  const parts = value.replaceAll(',,', '\u0000').split(',');
  for (const [position, raw] of parts.entries()) {
    const part = raw.replaceAll('\u0000', ',');
    const equals = part.indexOf('=');
    if (equals >= 0) found.set(part.slice(0, equals), part.slice(equals + 1));
    else found.set(position === 0 ? implied : part, position === 0 ? part : 'on');
  }
  return found;
}

function fromJson(text: string): Map<string, string> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(Object.entries(value as object).map(([key, entry]) => [key, String(entry)]));
  } catch {
    return new Map();
  }
}

/** Doubles the commas of a text that stands inside a `key=value` list. */
export function escapeValue(text: string): string {
  return text.replaceAll(',', ',,');
}

/** QEMU's numbers: decimal or 0x. */
export function qemuNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) : undefined;
}
