import { describeStep } from '../steps/steps.ts';
import type { Explanation } from './explain.ts';

/** An explanation as rows of text for people: a title, then what is under it. */
export function formatExplanation(explanation: Explanation): string {
  const { containerId, devices, addresses, guestSteps, specSteps, cdiDevices, pending, warnings, error } = explanation;
  const sections: [string, readonly string[]][] = [
    ['devices', devices.map((device) => `${device.containerPath}  ${device.type}  ${device.node ?? 'no node'}`)],
    ['addresses (host -> guest)', Object.entries(addresses).map(([host, guest]) => `${host} -> ${guest}`)],
    ['in the guest', guestSteps.map(describeStep)],
    ['in the OCI spec', specSteps.map((step) => `${describeStep(step)}  (${step.reason})`)],
    ['CDI devices', cdiDevices],
    ['known only after the guest steps', pending],
    ['warnings', warnings],
    ['error', error ? [`${error.code}: ${error.message}`] : []],
  ];
  const shown = sections.filter(([, rows]) => rows.length > 0);
  const body = shown.map(([title, rows]) => `${title}\n${rows.map((row) => `  ${row}`).join('\n')}`);
  return [`container ${containerId}`, ...(body.length > 0 ? body : ['nothing to do for its devices'])].join('\n');
}
