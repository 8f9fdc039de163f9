import { type ClientInterceptor, Code, TtrpcError } from 'ttrpc-ts';
import { KataMockError } from '../errors.ts';

/** Turns a failed call into an error that says which one, and whether the agent refused it or could not be reached. */
export const namedErrors: ClientInterceptor = {
  async unary(request, call, next) {
    try {
      return await next(request, call);
    } catch (cause) {
      if (!(cause instanceof TtrpcError)) throw cause;
      throw new KataMockError('AGENT', `${explain(call.method.name, cause)}: ${cause.message}`, { cause });
    }
  },
};

function explain(method: string, { code }: TtrpcError): string {
  if (code === Code.UNAVAILABLE) return `the agent is out of reach for ${method}`;
  if (code === Code.DEADLINE_EXCEEDED) return `the agent does not answer ${method} in time`;
  return `the agent refuses ${method}`;
}
