/** What must be different for a recorded start of a Kata VM to boot where there is no Kata: by the test, not by the hook. */
export interface Substitution {
  /** In the recording. */
  recorded: string;
  /** In the test; empty when it is left out. */
  instead: string;
  why: string;
}

export interface Replacements {
  kernel: string;
  initrd: string;
  /** For sockets and the pid file. */
  directory: string;
}

/** Applies the substitutions to a list of `-option value` and flags. Tells which of them it used. */
export function substitute(argv: readonly string[], by: Replacements): { argv: string[]; used: Substitution[] } {
  const used: Substitution[] = [];
  const result: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const [option = '', value] = [argv[index], argv[index + 1]];
    if (!takesValue(option) || value === undefined) {
      result.push(option);
      continue;
    }
    index++;
    const found = rules.find((rule) => rule.option === option && rule.matches.test(value));
    const instead = found ? found.instead(value, by) : [option, value];
    if (found) used.push({ recorded: `${option} ${short(value)}`, instead: short(instead.join(' ')), why: found.why });
    result.push(...instead);
  }
  return { argv: result, used };
}

interface Rule {
  option: string;
  matches: RegExp;
  instead(value: string, by: Replacements): string[];
  why: string;
}

const port = 'virtserialport,chardev=agent0,id=agent0,name=io.kata-mock.agent';
const rules: Rule[] = [
  {
    option: '-machine',
    matches: /accel=kvm/,
    instead: (value) => ['-machine', value.replace('accel=kvm', 'accel=tcg')],
    why: 'KVM may not work here',
  },
  { option: '-cpu', matches: /^host/, instead: () => ['-cpu', 'max'], why: 'the host CPU needs KVM' },
  {
    option: '-kernel',
    matches: /./,
    instead: (_, { kernel }) => ['-kernel', kernel],
    why: 'the guest of this project',
  },
  {
    option: '-initrd',
    matches: /./,
    instead: (_, { initrd }) => ['-initrd', initrd],
    why: 'the guest of this project',
  },
  {
    option: '-device',
    matches: /^vhost-vsock-pci,/,
    // At the end, since the port needs the serial bus; a chardev may stand anywhere.
    instead: (_, { directory }) => ['-chardev', `socket,id=agent0,path=${directory}/agent.sock,server=on,wait=off`],
    why: 'no vhost-vsock: the agent listens on a serial port too',
  },
  {
    option: '-device',
    matches: /^virtconsole,/,
    instead: (value) => ['-device', value, '-device', port],
    why: 'the port beside the console',
  },
  { option: '-chardev', matches: /(vhost-fs|virtiofsd)\.sock/, instead: () => [], why: 'no virtiofsd runs' },
  { option: '-device', matches: /^vhost-user-fs-pci,/, instead: () => [], why: 'no virtiofsd runs' },
  {
    option: '-netdev',
    matches: /^tap,/,
    instead: (value) => ['-netdev', `hubport,id=${/id=([^,]+)/.exec(value)?.[1]},hubid=0`],
    why: 'no tap device',
  },
  {
    option: '-chardev',
    matches: /console\.sock/,
    instead: (value, { directory }) => ['-chardev', value.replace(/path=[^,]*/, `path=${directory}/console.sock`)],
    why: 'a directory of the test',
  },
  {
    option: '-pidfile',
    matches: /./,
    instead: (_, { directory }) => ['-pidfile', `${directory}/pid`],
    why: 'a directory of the test',
  },
  {
    option: '-qmp',
    matches: /fd=(?!3,)/,
    instead: (value) => ['-qmp', value.replace(/fd=\d+/, 'fd=3')],
    why: 'the listener is descriptor 3 here',
  },
];

function takesValue(option: string): boolean {
  return option.startsWith('-') && !/^--?(nographic|no-user-config|nodefaults|no-reboot)$/.test(option);
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
