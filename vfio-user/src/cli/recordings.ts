import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { VfioUserError } from '../errors.ts';
import { createMockAccel } from '../mock-accel/mock-accel.ts';
import { registerNames } from '../mock-accel/register-names.ts';
import { profileOptions } from '../profiles/profiles.ts';
import { replay } from '../replay/replay.ts';
import { describeRecord, formatMessage } from '../trace/describe.ts';
import { readPcapng } from '../trace/pcapng.ts';

/** `decode FILE`: a recording as text or JSON lines. */
export function decodeCommand(): Command {
  return new Command('decode')
    .description('Shows a recording made with --trace, one message a line.')
    .argument('<file>', 'pcapng file')
    .option('-f, --format <format>', 'text or jsonl', 'text')
    .addHelpText('after', '\nExample:\n  mock-accel-server decode session.pcapng | grep STATUS')
    .action((file: string, { format }: { format: string }) => {
      for (const record of readPcapng(readFileSync(file)).records) {
        const message = describeRecord(record, registerNames);
        process.stdout.write(`${format === 'jsonl' ? JSON.stringify(message) : formatMessage(message)}\n`);
      }
    });
}

/** `replay FILE`: gives a recording to a fresh model and compares the answers. */
export function replayCommand(): Command {
  return new Command('replay')
    .description(
      "Gives the client's messages of a recording to a fresh device, without a VM, and compares its answers.",
    )
    .argument('<file>', 'pcapng file')
    .option('--profile <file>', 'options of the device that was recorded')
    .option('--profile-name <name>', 'which profile of the file')
    .addHelpText('after', '\nExits 1 when an answer differs.\n\nExample:\n  mock-accel-server replay session.pcapng')
    .action((file: string, flags: { profile?: string; profileName?: string }) => {
      const options = flags.profile === undefined ? { totalVfs: 4 } : profileOptions(flags.profile, flags.profileName);
      const { records } = readPcapng(readFileSync(file));
      const { commands, differences } = replay(createMockAccel(options), records);
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
