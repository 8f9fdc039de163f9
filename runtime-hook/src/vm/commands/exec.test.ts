import { expect, it } from 'vitest';
import { execProcess } from './exec.ts';

const base = { cwd: '/work', args: ['sh'], env: ['A=1', 'PATH=/bin'], user: { uid: 5, gid: 6 } };
const none = { env: [], interactive: false, tty: false, stopTimeout: 0 };

it("inherits the container's variables, directory and user", () => {
  expect(execProcess(base, ['id'], none)).toMatchObject({ ...base, args: ['id'], terminal: false });
});

it('takes what the options say instead', () => {
  expect(execProcess(base, ['id'], { ...none, env: ['A=2', 'B='], cwd: '/', user: '7:8', tty: true })).toMatchObject({
    env: ['A=2', 'PATH=/bin', 'TERM=xterm', 'B='],
    cwd: '/',
    user: { uid: 7, gid: 8 },
    terminal: true,
  });
});

it.each(['root', '', '1:', '-1', '4294967296'])('refuses the user %j', (user) => {
  expect(() => execProcess(base, ['id'], { ...none, user })).toThrow('is not UID or UID:GID');
});
