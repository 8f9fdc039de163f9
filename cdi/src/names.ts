import { CdiError, quote } from './errors.ts';

/** The parts of `vendor/class=device`. */
export interface QualifiedName {
  vendor: string;
  class: string;
  device: string;
}

/** Nobody needs longer names, and longer ones would be copied into every message. */
const MAX_LENGTH = 4096;
const LETTER = /^[A-Za-z]/;
const ALPHANUMERIC = /[A-Za-z0-9]/;

/**
 * Splits and checks `vendor/class=device`.
 * @throws {CdiError} NAME
 */
export function parseQualifiedName(name: string): QualifiedName {
  const { vendor, class: kindClass, device } = splitQualifiedName(name);
  for (const [part, value] of [
    ['vendor', vendor],
    ['class', kindClass],
    ['device name', device],
  ] as const) {
    if (value === '')
      throw new CdiError('NAME', `unqualified device ${quote(name)}, missing ${part}`, { devices: [name] });
  }
  const fault = vendorFault(vendor) ?? classFault(kindClass) ?? deviceFault(device);
  if (fault) throw new CdiError('NAME', `invalid device ${quote(name)}: ${fault}`, { devices: [name] });
  return { vendor, class: kindClass, device };
}

/** Whether the text is a well-formed `vendor/class=device`. */
export function isQualifiedName(name: string): boolean {
  const { vendor, class: kindClass, device } = splitQualifiedName(name);
  return vendor !== '' && !(vendorFault(vendor) ?? classFault(kindClass) ?? deviceFault(device));
}

/** Joins the parts, unchecked. */
export function qualifiedName(vendor: string, kindClass: string, device: string): string {
  return `${vendor}/${kindClass}=${device}`;
}

/** Splits without checking: what is not `a/b=c` with three non-empty parts comes back whole, as the device. */
export function splitQualifiedName(name: string): QualifiedName {
  const equals = name.indexOf('=');
  const slash = name.indexOf('/');
  const whole = { vendor: '', class: '', device: name };
  if (slash <= 0 || equals < 0 || slash > equals) return whole;
  const parts = { vendor: name.slice(0, slash), class: name.slice(slash + 1, equals), device: name.slice(equals + 1) };
  return parts.class === '' || parts.device === '' ? whole : parts;
}

/** Splits `vendor/class`; both empty when there is no slash. */
export function parseKind(kind: string): { vendor: string; class: string } {
  const slash = kind.indexOf('/');
  return slash < 0 ? { vendor: '', class: kind } : { vendor: kind.slice(0, slash), class: kind.slice(slash + 1) };
}

/** @throws {CdiError} NAME */
export function validateVendorName(vendor: string): void {
  raise(vendorFault(vendor));
}

/** @throws {CdiError} NAME */
export function validateClassName(name: string): void {
  raise(classFault(name));
}

/** @throws {CdiError} NAME */
export function validateDeviceName(name: string): void {
  raise(deviceFault(name));
}

function raise(fault: string | undefined): void {
  if (fault) throw new CdiError('NAME', fault);
}

export function vendorFault(vendor: string): string | undefined {
  const fault = kindPartFault(vendor);
  return fault && `invalid vendor ${quote(vendor)}: ${fault}`;
}

export function classFault(name: string): string | undefined {
  const fault = kindPartFault(name);
  return fault && `invalid class ${quote(name)}: ${fault}`;
}

export function deviceFault(name: string): string | undefined {
  if (name.length > MAX_LENGTH)
    return `invalid device name ${quote(name)}: ${name.length} characters, ${MAX_LENGTH} at most`;
  if (/^[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/.test(name)) return undefined;
  const label = `invalid device name ${quote(name)}:`;
  if (name === '') return `${label} it is empty`;
  if (!ALPHANUMERIC.test(first(name))) return `${label} it should start with a letter or digit`;
  if (!ALPHANUMERIC.test(last(name))) return `${label} it should end with a letter or digit`;
  return `${label} ${quote(stranger(name, /[A-Za-z0-9_.:-]/))} is not a letter, digit, "_", "-", "." or ":"`;
}

function kindPartFault(name: string): string | undefined {
  if (name.length > MAX_LENGTH) return `${name.length} characters, ${MAX_LENGTH} at most`;
  if (/^[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(name)) return undefined;
  if (name === '') return 'it is empty';
  if (!LETTER.test(name)) return 'it should start with a letter';
  if (!ALPHANUMERIC.test(last(name))) return 'it should end with a letter or digit';
  return `${quote(stranger(name, /[A-Za-z0-9_.-]/))} is not a letter, digit, "_", "-" or "."`;
}

function first(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0);
}

function last(text: string): string {
  return [...text.slice(-2)].at(-1) ?? '';
}

function stranger(text: string, allowed: RegExp): string {
  for (const letter of text) if (!allowed.test(letter)) return letter;
  return '';
}
