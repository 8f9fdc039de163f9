/** The in-guest agent as a library: what `main.ts` starts, for tests and for programs that bring their own wiring. */
export { type Agent, type AgentPaths, guestPaths } from './agent.ts';
export { type AgentConfig, configFrom, defaultConfig } from './config/config.ts';
export { AgentError, type AgentErrorCode } from './errors.ts';
export { buildExtension, type ExtensionInput } from './extension/build.ts';
export { type RunningAgent, type StartOptions, startAgent } from './start.ts';
