import { DeviceError } from '../errors.ts';
import { handlerFor } from './handler.ts';

/** Channel and crypto devices exist on IBM Z only. Mocks of them are not part of this project. */
export const s390x = handlerFor(['blk-ccw', 'vfio-ap', 'vfio-ap-cold'], ({ guest }, device) => {
  const here =
    guest.arch === 's390x' ? 'is not supported by this agent' : `exists on s390x only, this guest is ${guest.arch}`;
  throw new DeviceError('UNSUPPORTED_ARCHITECTURE', `device ${device.containerPath}: type ${device.type} ${here}`);
});
