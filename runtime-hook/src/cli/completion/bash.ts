import type { CommandWords, ProgramWords } from './words.ts';

export function bash({ name, commands }: ProgramWords): string {
  const id = name.replace(/[^a-z0-9]/g, '_');
  return `# bash completion for ${name}
_${id}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  local words=
  case $command in
    '') words='${commands.map((command) => command.name).join(' ')} --help --version --verbose' ;;
${commands.map(commandCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${id} ${name}
`;
}

function commandCase(command: CommandWords): string {
  const flags = command.options.flatMap((option) => option.flags).join(' ');
  const values = command.options
    .filter((option) => option.choices.length > 0)
    .map((option) => `        ${option.flags.join('|')}) words='${option.choices.join(' ')}' ;;`);
  const sandbox = command.takesSandbox ? ' $(kata-mock ps --quiet 2>/dev/null)' : '';
  return [
    `    ${command.name})`,
    '      case $previous in',
    ...values,
    `        ${command.name === 'run' ? '--sandbox' : '--no-such-option'}) words=$(kata-mock ps --quiet 2>/dev/null) ;;`,
    `        *) words="${[flags, ...command.subcommands].join(' ')} --help${sandbox}" ;;`,
    '      esac ;;',
  ].join('\n');
}
