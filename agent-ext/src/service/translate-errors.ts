import type { ServerInterceptor } from 'ttrpc-ts';
import type { AgentError } from '../errors.ts';
import type { Log } from '../log.ts';
import { toTtrpcError } from './ttrpc-errors.ts';

/** Gives every failed call its status code, and the log the call's name and reason. */
export function translateErrors(log: Log): ServerInterceptor {
  return {
    async unary(request, call, next) {
      try {
        return await next(request);
      } catch (error) {
        const status = toTtrpcError(error);
        // Every stream ends that way.
        if ((error as Partial<AgentError>).code !== 'END_OF_STREAM')
          log.debug({ method: call.method.name, code: status.codeName, err: error }, 'call failed');
        throw status;
      }
    },
  };
}
