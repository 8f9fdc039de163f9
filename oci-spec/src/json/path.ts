/** Steps from the root of a JSON document: member names and indexes. */
export type Path = readonly (string | number)[];

/** `['linux', 'devices', 0]` as `$.linux.devices[0]`; names that are not identifiers as `["a.b"]`. */
export function formatPath(path: Path): string {
  let text = '$';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(step)) text += `.${step}`;
    else text += `[${JSON.stringify(step.length > 80 ? `${step.slice(0, 77)}...` : step)}]`;
  }
  return text;
}
