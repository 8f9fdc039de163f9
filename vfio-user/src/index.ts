export { Client } from './client/client.ts';
export type { ClientOptions } from './client/connection.ts';
export { type MigrateOptions, type MovedBytes, migrate } from './client/migrate.ts';
export { controlCall } from './control/client.ts';
export type { ControlMethod } from './control/methods.ts';
export { type ControlServer, startControlServer } from './control/server.ts';
export { VfioUserError, type VfioUserErrorCode } from './errors.ts';
export type { FaultEvent } from './faults/events.ts';
export { Host, type HostLogger, type HostOptions, startHost } from './host/host.ts';
export type { FunctionSpec } from './host/messages.ts';
export { serve } from './host/serve.ts';
export * from './kit/index.ts';
export { formatUuid, parseIdentity } from './mock-accel/identity.ts';
export { createMockAccel } from './mock-accel/mock-accel.ts';
export { type MockAccelOptions, parseSize, resolveOptions as checkMockAccelOptions } from './mock-accel/options.ts';
export type { Bus, Log, LogLevel } from './server/bus.ts';
export type {
  MemoryChanges,
  Migratable,
  MigratableMemory,
  Region,
  RegionMemory,
  RegisterValue,
  ResetReason,
  VfioDevice,
} from './server/device.ts';
