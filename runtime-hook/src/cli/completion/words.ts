import type { Command } from 'commander';

/** What a shell can complete, read from the command tree so that it never goes stale. */
export interface ProgramWords {
  name: string;
  commands: CommandWords[];
}

export interface CommandWords {
  name: string;
  description: string;
  options: OptionWords[];
  /** Names of the commands below this one. */
  subcommands: string[];
  /** The first argument names a sandbox (`kata-mock ps --quiet` lists them). */
  takesSandbox: boolean;
}

export interface OptionWords {
  /** As typed, e.g. `--device` and `-i`. */
  flags: string[];
  description: string;
  takesValue: boolean;
  choices: string[];
}

export function describeProgram(program: Command): ProgramWords {
  return { name: program.name(), commands: program.commands.map(describeCommand) };
}

function describeCommand(command: Command): CommandWords {
  return {
    name: command.name(),
    description: command.description(),
    subcommands: command.commands.map((child) => child.name()),
    takesSandbox: command.registeredArguments[0]?.name() === 'sandbox',
    options: command.options
      .filter((option) => !option.hidden)
      .map((option) => ({
        flags: [option.long, option.short].filter((flag): flag is string => typeof flag === 'string'),
        description: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
      })),
  };
}
