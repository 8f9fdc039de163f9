import { runAgent } from './program.ts';

await runAgent();
