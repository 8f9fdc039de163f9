import { word } from './errors.ts';
import { bind, check, cString, syscall } from './libc.ts';

export const RB_AUTOBOOT = 0x01234567;
export const RB_POWER_OFF = 0x4321fedc;
export const RB_HALT_SYSTEM = 0xcdef0123;

const O_NONBLOCK = 0o4000;

const rebootFunction = bind('reboot', ['uint']);

/** Loads the module that `fd` is open on, with parameters as `name=value name=value`. EEXIST when it is loaded already. */
export function finitModule(fd: number, parameters = ''): void {
  const quoted = [fd, parameters];
  syscall('finit_module', [fd, cString('finit_module', parameters, quoted), 0], quoted);
}

/** Unloads a module; EWOULDBLOCK (EAGAIN) when it is in use. */
export function deleteModule(name: string): void {
  syscall('delete_module', [cString('delete_module', name, [name]), O_NONBLOCK], [name]);
}

/** Restarts or stops the machine at once ({@link RB_AUTOBOOT}, {@link RB_POWER_OFF}): sync() first. In a pid namespace it ends that. */
export function reboot(command: number): void {
  check('reboot', rebootFunction, [command], [word(`0x${command.toString(16)}`)]);
}
