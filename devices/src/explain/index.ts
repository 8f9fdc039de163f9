/** What the agent would do with a request, without a VM: the same planning on a directory with sys/ and dev/. */
export { RootGuest } from '../guest/root-guest.ts';
export { readRequest } from '../kata-request/read-request.ts';
export { type ExplainContext, type ExplainedDevice, type Explanation, explainRequest } from './explain.ts';
export { formatExplanation } from './format.ts';
