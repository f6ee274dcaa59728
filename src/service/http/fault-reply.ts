import { randomBytes } from 'node:crypto';
import type { FastifyBaseLogger, FastifyReply } from 'fastify';
import { Fault, faults } from '../../contract/faults.ts';
import { faultOfSystemError } from '../../contract/system-fault.ts';

/**
 * What a client is told of an error: faults as they are, a full or closed disk by its name, and all else as INTERNAL with an id.
 */
export function faultOfError(error: unknown, log: Pick<FastifyBaseLogger, 'error'>): Fault {
  if (error instanceof Fault) {
    if (error.code === 'INTERNAL') return internal(error, log);
    return error;
  }
  const known = faultOfSystemError(error) ?? faultOfCode(codeOf(error), error);
  return known ?? internal(error, log);
}

/** Sends a fault with its status and report. */
export async function sendFault(reply: FastifyReply, fault: Fault): Promise<void> {
  await reply
    .code(faults[fault.code].httpStatus)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ fault: fault.report() }));
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

function faultOfCode(code: string, cause: unknown): Fault | undefined {
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Fault('BODY_NOT_JSON', 'The body is not marked as JSON.', { cause });
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Fault('BODY_NOT_JSON', 'The body is not JSON.', { cause });
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Fault('BODY_TOO_LARGE', 'The body is larger than a request may be.', { cause });
    case 'FST_ERR_BAD_URL':
      return new Fault('INPUT_INVALID', 'The address is not one.', { cause });
    case 'ABORT_ERR':
      return new Fault('CANCELLED', 'It was cancelled.', { cause });
    default:
      return cause instanceof Error && cause.name === 'TimeoutError'
        ? new Fault('GIT_FAILED', 'It took too long and was ended.', { cause })
        : undefined;
  }
}

function internal(error: unknown, log: Pick<FastifyBaseLogger, 'error'>): Fault {
  const id = randomBytes(4).toString('hex');
  log.error({ err: error, errorId: id }, 'unexpected error');
  const said = error instanceof Fault ? ` ${error.message}` : '';
  return new Fault('INTERNAL', `Something in takt went wrong (${id}).${said}`, {
    hint: `\`takt service logs\` has the details under ${id}.`,
  });
}
