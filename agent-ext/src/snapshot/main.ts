/**
 * The agent as a start-up snapshot of Node's: everything is loaded while the guest image is made, and what runs in the
 * guest is {@link runAgent} alone. Under emulation that is most of the agent's start. No module of the agent may hold a
 * descriptor, a thread, a timer or a clock when it has been loaded: those would be of the machine that made the image.
 */
import './still-clock.ts';
import { startupSnapshot } from 'node:v8';
import { runAgent } from '../program.ts';
import { loadWorkerThreads } from './built-in.ts';

startupSnapshot.setDeserializeMainFunction(() => {
  loadWorkerThreads();
  void runAgent();
});
