import { VfioUserError } from '../errors.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import type { VfioDevice } from '../server/device.ts';

/** Makes a device from the options of a {@link FunctionSpec}. */
export type DeviceFactory = (options: Record<string, unknown>) => VfioDevice;

const models: Record<string, DeviceFactory> = { 'mock-accel': createMockAccel };

/** The device of a built-in model, or of the module at a file: URL. */
export async function createDevice(model: string, options: Record<string, unknown>): Promise<VfioDevice> {
  const factory = Object.hasOwn(models, model) ? models[model] : undefined;
  if (factory) return factory(options);
  if (!model.startsWith('file:'))
    throw new VfioUserError(
      'NOT_FOUND',
      `no device model ${JSON.stringify(model)}; there are ${Object.keys(models).join(', ')}, or give a file: URL`,
    );
  const module = (await import(model)) as { default?: VfioDevice | DeviceFactory };
  const device = typeof module.default === 'function' ? module.default(options) : module.default;
  if (typeof device?.attach !== 'function')
    throw new VfioUserError('INVALID_OPTION', `${model} has no device as its default export`);
  return device;
}
