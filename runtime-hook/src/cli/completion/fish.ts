import type { CommandWords, OptionWords, ProgramWords } from './words.ts';

export function fish({ name, commands }: ProgramWords): string {
  const names = commands.map((command) => command.name).join(' ');
  return [
    `# fish completion for ${name}`,
    `complete -c ${name} -f`,
    ...commands.map(
      (command) =>
        `complete -c ${name} -n ${quote(`not __fish_seen_subcommand_from ${names}`)} -a ${command.name} -d ${quote(command.description)}`,
    ),
    ...commands.flatMap((command) => commandLines(name, command)),
    '',
  ].join('\n');
}

function commandLines(name: string, command: CommandWords): string[] {
  const start = `complete -c ${name} -n ${quote(`__fish_seen_subcommand_from ${command.name}`)}`;
  const lines = command.options.map((option) => `${start} ${optionArguments(option)}`);
  for (const name of command.subcommands) lines.push(`${start} -a ${name}`);
  if (command.takesSandbox) lines.push(`${start} -a ${quote(`(${name} ps --quiet 2>/dev/null)`)}`);
  return lines;
}

function optionArguments(option: OptionWords): string {
  const flags = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = option.takesValue ? ['-r'] : [];
  const choices = option.choices.length > 0 ? [`-a ${quote(option.choices.join(' '))}`] : [];
  return [...flags, ...value, ...choices, `-d ${quote(option.description)}`].join(' ');
}

/** Inside fish's single quotes only backslash and quote are special. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
