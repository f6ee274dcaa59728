import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';

/** ATTEMPT_PROTOCOL of the contract; the type keeps the two equal. */
export const PROTOCOL: AttemptRequest['protocol'] = 1;

/**
 * The request in a spool folder; fault INTERNAL if there is none, or one of another protocol.
 *
 * The service has parsed it with its schema before it wrote it. That is not done again: loading the schemas takes as
 * long as all the rest of a short attempt, and the spool is takt's own. So no code that each attempt runs through may
 * load them; what reads the work's own words does, when there are some.
 */
export function readRequest(folder: string): AttemptRequest {
  let request: unknown;
  try {
    request = JSON.parse(readFileSync(join(folder, 'request.json'), 'utf8'));
  } catch (error) {
    throw new Fault('INTERNAL', `The request cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (!isOfProtocol(request))
    throw new Fault('INTERNAL', `The request is not of protocol ${PROTOCOL}, which this step host speaks.`);
  return request;
}

function isOfProtocol(value: unknown): value is AttemptRequest {
  return typeof value === 'object' && value !== null && 'protocol' in value && value.protocol === PROTOCOL;
}
