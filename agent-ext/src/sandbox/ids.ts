import { AgentError } from '../errors.ts';

/** Ids become file and cgroup names: one path component, and room for what is put behind it. */
const ID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** Refuses an id that is no plain name. @param what for the message: `container id` */
export function checkId(what: string, id: string): void {
  if (ID.test(id)) return;
  const shown = JSON.stringify(id.length > 160 ? `${id.slice(0, 160)}…` : id);
  const rule = 'expected a letter or digit and then at most 127 of letters, digits, "_", "." and "-"';
  throw new AgentError('INVALID_ARGUMENT', `invalid ${what} ${shown}: ${rule}`);
}
