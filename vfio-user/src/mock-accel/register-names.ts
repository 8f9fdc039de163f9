import type { RegisterBook } from '../register-book/book.ts';
import type { RegisterName } from '../trace/describe.ts';
import book from './registers.json' with { type: 'json' };

/** The registers' places, for traces. */
export const registerNames: RegisterName[] = (book as RegisterBook).blocks.flatMap(({ bar, registers }) =>
  registers.map(({ name, offset, width }) => ({ bar, offset: Number(offset), width, name })),
);
