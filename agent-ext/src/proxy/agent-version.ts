/** Release of a Kata agent. */
export interface AgentVersion {
  readonly major: number;
  readonly minor: number;
}

/** Reads `3.21.0`, `4.1.0-rc0` and the like. */
export function parseAgentVersion(text: string): AgentVersion | undefined {
  const match = /^v?(\d{1,4})\.(\d{1,4})/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

/**
 * Whether an agent fails a container whose PCIDEVICE_ variables it has no map for. From 3.32 on that is a warning.
 * An agent that tells no version counts as an old one: a map too many does no harm.
 */
export function needsAddressMap(version: AgentVersion | undefined): boolean {
  if (version === undefined) return true;
  return version.major < 3 || (version.major === 3 && version.minor < 32);
}
