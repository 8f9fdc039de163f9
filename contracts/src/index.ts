/**
 * What host and guest agree on: the Kata agent's ttrpc protocol, generated from `proto/`, and the device inventory.
 *
 * Messages keep the wire's field names in camelCase (`container_id` is `containerId`, `OCI` stays `OCI`). Use with
 * ttrpc-ts: `createClient(AgentService, connection).createContainer({...})`.
 */
export * from './gen/agent_pb.ts';
export * from './gen/csi_pb.ts';
export * from './gen/health_pb.ts';
export * from './gen/oci_pb.ts';
export * from './gen/remote_pb.ts';
export * from './gen/types_pb.ts';
export * from './inventory.ts';
