import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { VfioUserError } from '../errors.ts';

/** `decode FILE`: a recording as text or JSON lines. */
export function decodeCommand(): Command {
  return new Command('decode')
    .description('Shows a recording made with --trace, one message a line; JSON lines have all of its bytes too.')
    .argument('<file>', 'pcapng file')
    .option('-f, --format <format>', 'text or jsonl', 'text')
    .addHelpText('after', '\nExample:\n  mock-accel-server decode session.pcapng | grep STATUS')
    .action(async (file: string, { format }: { format: string }) => {
      const { describeRecord, formatMessage, readPcapng, registerNames } = await tools();
      for (const record of readPcapng(readFileSync(file)).records) {
        const message = describeRecord(record, registerNames);
        process.stdout.write(
          format === 'jsonl'
            ? `${JSON.stringify({ ...message, message: hex(record) })}\n`
            : `${formatMessage(message)}\n`,
        );
      }
    });
}

const hex = ({ message }: { message: Uint8Array }) => Buffer.from(message).toString('hex');

/** `replay FILE`: gives a recording to a fresh model and compares the answers. */
export function replayCommand(): Command {
  return new Command('replay')
    .description(
      "Gives the client's messages of a recording to a fresh device, without a VM, and compares its answers.",
    )
    .argument('<file>', 'pcapng file')
    .option('--profile <file>', 'options of the device that was recorded')
    .option('--profile-name <name>', 'which profile of the file')
    .option('--keep-state', 'the server was run so: one client after the other finds what the last one left')
    .addHelpText('after', '\nExits 1 when an answer differs.\n\nExample:\n  mock-accel-server replay session.pcapng')
    .action(async (file: string, flags: { profile?: string; profileName?: string; keepState?: boolean }) => {
      const { createMockAccel, describeRecord, formatMessage, profileOptions, readPcapng, registerNames, replay } =
        await tools();
      const options = flags.profile === undefined ? { totalVfs: 4 } : profileOptions(flags.profile, flags.profileName);
      const { records } = readPcapng(readFileSync(file));
      const { commands, differences } = replay(createMockAccel(options), records, flags);
      for (const { record, recorded, replayed } of differences)
        process.stdout.write(
          `${formatMessage(describeRecord(records[record]!, registerNames))}\n- ${recorded ?? 'no answer'}\n+ ${replayed ?? 'no answer'}\n`,
        );
      process.stderr.write(`${commands} commands, ${differences.length} answers differ\n`);
      if (differences.length > 0)
        throw new VfioUserError(
          'REPLAY_DIFFERS',
          `${differences.length} of ${commands} answers differ from the recording`,
        );
    });
}

/** Loaded when a recording is read, not when a device is served. */
async function tools() {
  const [mockAccel, names, profiles, replaying, describing, pcapng] = await Promise.all([
    import('../mock-accel/mock-accel.ts'),
    import('../mock-accel/register-names.ts'),
    import('../profiles/profiles.ts'),
    import('../replay/replay.ts'),
    import('../trace/describe.ts'),
    import('../trace/pcapng.ts'),
  ]);
  return { ...mockAccel, ...names, ...profiles, ...replaying, ...describing, ...pcapng };
}
