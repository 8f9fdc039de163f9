import { execFile } from 'node:child_process';

const deadlineMs = 10_000;

/** What a program prints on both streams; the reason when it cannot be run or does not end. */
export function ask(program: string, args: string[]): Promise<{ text: string } | { reason: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: deadlineMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error && stdout === '')
        resolve({ reason: `${program} ${args.join(' ')}: ${stderr.trim() || error.message}` });
      else resolve({ text: `${stdout}${stderr}` });
    });
  });
}
