import type { Command } from 'commander';

export type Shell = 'bash' | 'zsh' | 'fish';

interface Words {
  command: string;
  aliases: string[];
  summary: string;
  options: { flag: string; summary: string }[];
  /** What arguments complete to. */
  takes: 'devices' | 'files';
}

/** A completion script, made from the commands and options there are; device names are asked of `cdi devices`. */
export function completionScript(program: Command, shell: Shell): string {
  const global = optionsOf(program);
  const words = program.commands.map((command) => ({
    command: command.name(),
    aliases: command.aliases(),
    summary: command.summary() || command.description(),
    options: [...optionsOf(command), ...global],
    takes: /^(inject|explain|diff)$/.test(command.name()) ? ('devices' as const) : ('files' as const),
  }));
  return { bash, zsh, fish }[shell](words, global);
}

function optionsOf(command: Command): { flag: string; summary: string }[] {
  return command.options.flatMap(({ short, long, description }) =>
    [short, long].flatMap((flag) => (flag ? [{ flag, summary: description }] : [])),
  );
}

function flagsOf(options: { flag: string }[]): string {
  return options.map(({ flag }) => flag).join(' ');
}

function bash(words: Words[], global: { flag: string }[]): string {
  const cases = words.map(
    ({ command, aliases, options, takes }) =>
      `    ${[command, ...aliases].join('|')}) flags="${flagsOf(options)}"; takes=${takes} ;;`,
  );
  return `# bash completion for cdi: source <(cdi completion bash)
_cdi() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' word flags takes=files
  local line=\${COMP_LINE:0:COMP_POINT}
  current=\${line##*[[:space:]]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${words.flatMap(({ command, aliases }) => [command, ...aliases]).join('|')}) command=$word; break ;; esac
  done
  local dirs=() at
  for ((at = 1; at < COMP_CWORD - 1; at++)); do
    case \${COMP_WORDS[at]} in -d|--spec-dirs) dirs+=(-d "\${COMP_WORDS[at+1]}") ;; esac
  done
  case $previous in
    -d|--spec-dirs) COMPREPLY=($(compgen -d -- "$current")); return ;;
    -o|--output) COMPREPLY=($(compgen -W 'json yaml table' -- "$current")); return ;;
    -s|--schema) COMPREPLY=($(compgen -W 'builtin none' -- "$current") $(compgen -f -- "$current")); return ;;
    --compat) COMPREPLY=($(compgen -W go -- "$current")); return ;;
    completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$current")); return ;;
  esac
  case $command in
${cases.join('\n')}
    *) COMPREPLY=($(compgen -W "${words.map(({ command }) => command).join(' ')} ${flagsOf(global)}" -- "$current")); return ;;
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ $command == monitor ]]; then
    COMPREPLY=($(compgen -W 'specs vendors classes devices all' -- "$current"))
  elif [[ $takes == devices && $current == */* && ! -e $current ]]; then
    COMPREPLY=($(compgen -W "$(cdi devices "\${dirs[@]}" 2>/dev/null)" -- "$current"))
    # Readline replaces from the last "=" or ":" on.
    local prefix=\${current%"\${current##*[=:]}"}
    COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -F _cdi cdi
`;
}

function zsh(words: Words[], global: { flag: string; summary: string }[]): string {
  const describe = (name: string, summary: string) =>
    `'${name}:${summary.replaceAll(':', '\\:').replaceAll("'", "'\\''")}'`;
  const cases = words.map(({ command, aliases, options, takes }) => {
    const flags = options.map(({ flag, summary }) => describe(flag, summary)).join(' ');
    return `    ${[command, ...aliases].join('|')}) flags=(${flags}); takes=${takes} ;;`;
  });
  return `#compdef cdi
# zsh completion for cdi: source <(cdi completion zsh)
_cdi() {
  local -a commands flags devices
  local command='' takes=files word
  commands=(${words.map(({ command, summary }) => describe(command, summary)).join(' ')})
  for word in "\${words[@]:1:CURRENT-2}"; do
    case $word in ${words.flatMap(({ command, aliases }) => [command, ...aliases]).join('|')}) command=$word; break ;; esac
  done
  case \${words[CURRENT-1]} in
    -d|--spec-dirs) _files -/; return ;;
    -o|--output) compadd json yaml table; return ;;
    -s|--schema) compadd builtin none; _files; return ;;
    --compat) compadd go; return ;;
    completion) compadd bash zsh fish; return ;;
  esac
  case $command in
${cases.join('\n')}
    *) flags=(${global.map(({ flag, summary }) => describe(flag, summary)).join(' ')}); _describe command commands; _describe option flags; return ;;
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe option flags
  elif [[ $command == monitor ]]; then
    compadd specs vendors classes devices all
  else
    if [[ $takes == devices ]]; then
      devices=("\${(@f)$(cdi devices 2>/dev/null)}")
      compadd -a devices
    fi
    _files
  fi
}
compdef _cdi cdi
`;
}

function fish(words: Words[], global: { flag: string; summary: string }[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const option = (condition: string, { flag, summary }: { flag: string; summary: string }) =>
    `complete -c cdi ${condition}${flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`} -d ${quote(summary)}`;
  const lines = words.flatMap(({ command, aliases, summary, options, takes }) => {
    const seen = `-n '__fish_seen_subcommand_from ${[command, ...aliases].join(' ')}' `;
    const own = options.filter(({ flag }) => !global.some((other) => other.flag === flag));
    return [
      `complete -c cdi -n __fish_use_subcommand -f -a ${command} -d ${quote(summary)}`,
      ...own.map((entry) => option(seen, entry)),
      ...(takes === 'devices' ? [`complete -c cdi ${seen}-a '(cdi devices 2>/dev/null)'`] : []),
    ];
  });
  return [
    '# fish completion for cdi: cdi completion fish | source',
    ...global.map((entry) => option('', entry)),
    ...lines,
    "complete -c cdi -s o -l output -x -a 'json yaml table'",
    "complete -c cdi -s s -l schema -r -a 'builtin none'",
    'complete -c cdi -l compat -x -a go',
    "complete -c cdi -n '__fish_seen_subcommand_from monitor' -f -a 'specs vendors classes devices all'",
    "complete -c cdi -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'",
    '',
  ].join('\n');
}
