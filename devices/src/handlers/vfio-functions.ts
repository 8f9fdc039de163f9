import type { DeviceRequest } from '../request.ts';
import { parseVfioOption } from '../vfio-option.ts';
import { findFunction, type PresentFunction } from './find-function.ts';
import type { HandlerContext } from './handler.ts';

/** A guest function and the host address it stands for. */
export interface PassedFunction extends PresentFunction {
  readonly host: string;
}

/** Finds every function the options of a Device message name. An option without a path is skipped with a warning. */
export async function passedFunctions(context: HandlerContext, device: DeviceRequest): Promise<PassedFunction[]> {
  const options = device.options.map(parseVfioOption);
  const functions: PassedFunction[] = [];
  for (const { host, path } of options) {
    if (path === undefined)
      context.warn(`device ${device.containerPath}: host device ${host} has no guest PCI path, skipped`);
    else functions.push({ host, ...(await findFunction(context, path)) });
  }
  return functions;
}

/** Their addresses for the container's map. */
export function addressesOf(functions: readonly PassedFunction[]): (readonly [string, string])[] {
  return functions.map(({ host, address }) => [host, address] as const);
}
