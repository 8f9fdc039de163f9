import type { CommandWords, OptionWords, ProgramWords } from './words.ts';

export function zsh({ name, commands }: ProgramWords): string {
  const id = name.replace(/[^a-z0-9]/g, '_');
  return `#compdef ${name}
_${id}_sandboxes() {
  local -a names
  names=(\${(f)"$(${name} ps --quiet 2>/dev/null)"})
  _describe sandbox names
}
_${id}() {
  local -a commands
  commands=(
${commands.map((command) => `    ${quote(`${command.name}:${command.description}`)}`).join('\n')}
  )
  local context state line
  _arguments -C '--help[show help]' '--version[print the version]' '--verbose[log on stderr]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
${commands.map((command) => commandCase(command, id)).join('\n')}
      esac ;;
  esac
}
if [ "$funcstack[1]" = "_${id}" ]; then _${id} "$@"; else compdef _${id} ${name}; fi
`;
}

function commandCase(command: CommandWords, id: string): string {
  const names = command.subcommands.length > 0 ? ` '1:command:(${command.subcommands.join(' ')})'` : '';
  const first = command.takesSandbox ? ` '1:sandbox:_${id}_sandboxes'` : names;
  const options = command.options.flatMap((option) => option.flags.map((flag) => optionSpec(flag, option)));
  return `        ${command.name}) _arguments ${options.join(' ')}${first} '*:argument:_default' ;;`;
}

function optionSpec(flag: string, option: OptionWords): string {
  const description = option.description.replace(/[[\]:]/g, '\\$&');
  const value = option.takesValue
    ? `:value:${option.choices.length > 0 ? `(${option.choices.join(' ')})` : '_default'}`
    : '';
  return quote(`*${flag}[${description}]${value}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
