/** Upstream problems as data, and how to run them against this project's device handling. */
export { TreeGuest } from '../guest/tree-guest.ts';
export { scenarios } from './list.ts';
export { type CaseResult, runScenario, type ScenarioResult } from './run-scenario.ts';
export type { Expectation, Scenario, ScenarioCase } from './scenario.ts';
