import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Inventory } from '@kata-mock/contracts';
import type { Spec } from '@kata-mock/oci-spec';
import { FakeTree } from '@kata-mock/pci/testing';
import { Cache, writeSpec } from 'cdi-spec';
import { guestCdiSpec, withoutHostNodes } from '../cdi/guest-spec.ts';
import { TreeGuest } from '../guest/tree-guest.ts';
import { type HandledDevices, handleDevices } from '../handle.ts';
import { findMockDevices } from '../mock-devices.ts';
import type { ContainerRequest, DeviceRequest } from '../request.ts';
import { defaultSettings } from '../settings.ts';
import { compare, type Outcome } from './compare.ts';
import type { Scenario, ScenarioCase } from './scenario.ts';

/** Short, so that what fails does so soon; a scenario about waiting sets its own. */
const SETTINGS = { ...defaultSettings, hotplugTimeoutMs: 150, cdiTimeoutMs: 150 };

export interface CaseResult {
  readonly container: string;
  /** One line per difference; empty when all is as expected. */
  readonly differences: readonly string[];
  /** What came of it, in one line. */
  readonly summary: string;
  readonly ms: number;
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly passed: boolean;
  readonly cases: readonly CaseResult[];
}

/** Builds the machine of a scenario, runs its requests through the agent's device handling and compares. */
export async function runScenario(scenario: Scenario): Promise<ScenarioResult> {
  const tree = new FakeTree(scenario.tree);
  try {
    const machine = prepare(tree, scenario);
    const cases: CaseResult[] = [];
    for (const one of scenario.cases) cases.push(await runCase(machine, scenario, one));
    return { scenario, passed: cases.every(({ differences }) => differences.length === 0), cases };
  } finally {
    tree.remove();
  }
}

interface Machine {
  readonly tree: FakeTree;
  readonly guest: TreeGuest;
  readonly inventory: Inventory | undefined;
  readonly cdiDirectory: string;
}

function prepare(tree: FakeTree, scenario: Scenario): Machine {
  // Where events come, nothing may need looking again.
  const isSilent = [...tree.functions.values()].some(({ arrives }) => arrives === 'silent');
  const guest = new TreeGuest(tree, scenario.arch, isSilent ? undefined : Number.POSITIVE_INFINITY);
  const inventory: Inventory | undefined = scenario.inventory && { version: 1, devices: [...scenario.inventory] };
  const cdiDirectory = path.join(tree.root, 'var/run/cdi');
  if (scenario.cdiDirectory !== 'absent') mkdirSync(cdiDirectory, { recursive: true });
  const generated = guestCdiSpec(findMockDevices(guest.sysfs, inventory));
  if (generated) writeSpec(cdiDirectory, 'kata-mock.json', withoutHostNodes(generated));
  writeCdiFiles(cdiDirectory, scenario.cdi ?? {});
  return { tree, guest, inventory, cdiDirectory };
}

/** A file whose content is a text is written as it is: it may be none that anybody can read. */
function writeCdiFiles(directory: string, files: Readonly<Record<string, unknown>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

async function runCase(machine: Machine, scenario: Scenario, one: ScenarioCase): Promise<CaseResult> {
  const warnings: string[] = [];
  const { guest, inventory, cdiDirectory, tree } = machine;
  const writesBefore = guest.kernel.writes.length;
  const cdi = { cache: new Cache({ specDirs: [cdiDirectory], autoRefresh: false }), specDirectory: cdiDirectory };
  const settings = { ...SETTINGS, ...scenario.settings };
  const warn = (message: string) => warnings.push(message);
  const began = performance.now();
  const handling = handleDevices({ guest, inventory, settings, cdi, warn }, requestOf(one));
  if (scenario.arrives) tree.arrive();
  const { cdiArrives } = scenario;
  // The handling looks once before it waits.
  const arrival = cdiArrives && setImmediate(() => writeCdiFiles(cdiDirectory, cdiArrives));
  const handled = await handling.catch((error: Error & { code?: string }) => error);
  clearImmediate(arrival);
  const ms = performance.now() - began;
  const writes = guest.kernel.writes.slice(writesBefore).map((write) => `${write.path}=${write.text}`);
  const outcome: Outcome = { ...outcomeOf(handled), writes, warnings, ms };
  return { container: one.container, differences: compare(outcome, one.expect), summary: summarise(outcome), ms };
}

function outcomeOf(
  handled: HandledDevices | (Error & { code?: string }),
): Pick<Outcome, 'error' | 'spec' | 'addresses'> {
  if (handled instanceof Error) return { error: { code: handled.code ?? handled.name, message: handled.message } };
  return { spec: handled.editor.result(), addresses: Object.fromEntries(handled.plan.addresses) };
}

function summarise({ error, spec, addresses }: Outcome): string {
  if (error) return `${error.code}: ${error.message}`;
  const env = spec?.process?.env?.filter((entry) => entry.startsWith('PCIDEVICE_')) ?? [];
  const nodes = (spec?.linux?.devices ?? []).map(
    ({ path: file, type, major, minor }) => `${file} ${type} ${major}:${minor}`,
  );
  return (
    [...nodes, ...env, ...Object.entries(addresses ?? {}).map((pair) => pair.join(' -> '))].join(', ') ||
    'nothing changed'
  );
}

function requestOf({ container, devices = [], spec = {} }: ScenarioCase): ContainerRequest {
  return {
    containerId: container,
    devices: devices.map(
      (device): DeviceRequest => ({ id: '', type: '', vmPath: '', containerPath: '', options: [], ...device }),
    ),
    spec: { ociVersion: '1.1.0', process: { cwd: '/', args: ['true'] }, linux: {}, ...spec } as Spec,
  };
}
