/** What went wrong; callers match on this and never on the text. */
export type DeviceErrorCode =
  /** The request itself is malformed: empty type, bad option, bad address. */
  | 'INVALID_REQUEST'
  | 'UNKNOWN_TYPE'
  /** A kind of device that this architecture does not have. */
  | 'UNSUPPORTED_ARCHITECTURE'
  /** Not there after the hot-plug timeout. */
  | 'DEVICE_NOT_FOUND'
  /** The device is there and its node is not, or is no device. */
  | 'NODE_NOT_FOUND'
  | 'IOMMU_GROUP'
  | 'BIND_FAILED'
  /** Two parts of the request contradict each other. */
  | 'CONFLICT'
  /** The spec has no entry for a device of the request. */
  | 'MISSING_IN_SPEC'
  | 'MALFORMED_ENV'
  /** A PCIDEVICE_ variable names an address nobody mapped. */
  | 'UNTRANSLATED_ADDRESS'
  | 'CDI_UNRESOLVED'
  | 'CDI_TIMEOUT';

/** Every error this package throws on purpose. Messages quote the input. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code: DeviceErrorCode;

  constructor(code: DeviceErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
