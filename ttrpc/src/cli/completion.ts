import type { Command } from 'commander';

/** A completion script for bash, made from the commands and options there are. */
export function bashCompletion(program: Command): string {
  const flags = (command: Command) => command.options.flatMap(({ short, long }) => [short, long].filter(Boolean));
  const cases = program.commands.map(
    (command) => `    ${command.name()}) words="${[...flags(command), '--help'].join(' ')}" ;;`,
  );
  return `# bash completion for ttrpc: source <(ttrpc completion)
_ttrpc() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) words="${program.commands.map((command) => command.name()).join(' ')} --help" ;;
  esac
  if [[ $COMP_CWORD -gt 1 && $current != -* ]]; then
    if [[ $COMP_CWORD -eq 2 ]]; then COMPREPLY=($(compgen -W 'unix:// tcp:// vsock:// hvsock://' -- "$current"))
    else COMPREPLY=($(compgen -f -- "$current")); fi
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _ttrpc ttrpc
`;
}
