import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { Fault } from '../../contract/faults.ts';
import { HOME_HEADER } from '../../contract/service.ts';

/** What Node tells of a connection whose bytes are no request, by its code; all others are 400. */
const verdicts: Readonly<Record<string, readonly [status: number, sentence: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than a request may have.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come to its end in time.'],
};

/**
 * Answers what never becomes a request of the application, as Node would, but as all else of this service: with the id
 * of the home, and a fault. The status is HTTP's own, for programs that know nothing of faults.
 */
export function answerBrokenRequests(server: Server, homeId: string): void {
  server.removeAllListeners('clientError');
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // The other side is gone.
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const [status, sentence] = verdicts[error.code ?? ''] ?? [400, 'What came is no HTTP request.'];
    const body = bodyOf(sentence);
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `${HOME_HEADER}: ${homeId}`,
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  });
  server.on('checkExpectation', (_request, response) => {
    const body = bodyOf('The service does nothing that an Expect header asks for.');
    const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) };
    response.writeHead(417, { ...headers, connection: 'close', [HOME_HEADER]: homeId }).end(body);
  });
}

function bodyOf(sentence: string): string {
  const fault = new Fault('INPUT_INVALID', sentence, {
    hint: 'GET /api/openapi.json lists what can be asked, and how.',
  });
  return JSON.stringify({ fault: fault.report() });
}
