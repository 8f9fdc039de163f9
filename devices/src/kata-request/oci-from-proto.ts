import type {
  Process as ProcessMessage,
  LinuxResources as ResourcesMessage,
  Spec as SpecMessage,
} from '@kata-mock/contracts';
import type { LinuxResources, Process, Spec } from '@kata-mock/oci-spec';

/** Where Kata's name is not OCI's name with a capital. */
const NAMES: Readonly<Record<string, string>> = {
  Version: 'ociVersion',
  UID: 'uid',
  GID: 'gid',
  UIDMappings: 'uidMappings',
  GIDMappings: 'gidMappings',
  CPU: 'cpu',
  OOMScoreAdj: 'oomScoreAdj',
  Pagesize: 'pageSize',
  errnoret: 'errnoRet',
};

/** proto3 does not tell zero from absent. In these members zero is a value; everywhere else it means "not given". */
const KEEP_ZERO: Readonly<Record<string, readonly string[]>> = {
  'grpc.LinuxDevice': ['Major', 'Minor'],
  'grpc.LinuxDeviceCgroup': ['Allow'],
  'grpc.POSIXRlimit': ['Hard', 'Soft'],
  'grpc.LinuxIDMapping': ['HostID', 'ContainerID', 'Size'],
  'grpc.LinuxWeightDevice': ['Major', 'Minor'],
  'grpc.LinuxThrottleDevice': ['Major', 'Minor', 'Rate'],
  'grpc.LinuxHugepageLimit': ['Limit'],
  'grpc.LinuxInterfacePriority': ['Priority'],
  'grpc.LinuxSeccompArg': ['Index', 'Value'],
  'grpc.Box': ['Height', 'Width'],
};

/** Members that are maps by user-chosen keys, so the keys are not names to translate. */
const MAPS = new Set(['Annotations', 'Sysctl']);

/** Kata's protobuf form of a spec as the OCI one. Numbers above 2^53 stay bigint. */
export function specFromProto(message: SpecMessage): Spec {
  return convertMessage(message) as unknown as Spec;
}

export function processFromProto(message: ProcessMessage): Process {
  return { cwd: '/', ...convertMessage(message) } as Process;
}

export function resourcesFromProto(message: ResourcesMessage): LinuxResources {
  return convertMessage(message) as LinuxResources;
}

type Json = Record<string, unknown>;

function convertMessage(message: object): Json {
  const { $typeName, $unknown, ...members } = message as { $typeName: string; $unknown?: unknown } & Json;
  const keepZero = KEEP_ZERO[$typeName] ?? [];
  const result: Json = {};
  for (const [key, value] of Object.entries(members)) {
    if (isAbsent(value) && !keepZero.includes(key)) continue;
    result[NAMES[key] ?? key.charAt(0).toLowerCase() + key.slice(1)] = convertValue(key, value);
  }
  return $typeName === 'grpc.LinuxDeviceCgroup' ? withNumbers(result, members) : result;
}

function convertValue(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => convertValue(key, item));
  return MAPS.has(key) ? { ...value } : convertMessage(value);
}

function isAbsent(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === '' || value === 0 || value === 0n || value === false;
}

/** A rule with numbers may have minor 0; one without both is about every number. */
function withNumbers(rule: Json, { Type, Major, Minor }: Json): Json {
  const hasType = Type === 'c' || Type === 'b';
  if (!hasType || (Major === 0n && Minor === 0n)) return rule;
  return { ...rule, major: Number(Major), minor: Number(Minor) };
}
