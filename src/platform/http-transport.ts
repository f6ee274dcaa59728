import type { IncomingMessage } from 'node:http';

// `import` reads every export of the module, among them WebSocket, which loads a second HTTP client: measured, that
// doubles the start of a command.
const { request } = process.getBuiltinModule('node:http');

/** Where a service listens. The token is for TCP; a Unix socket lets in whoever may open it. */
export type HttpAddress =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly token: string | null };

interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

interface HttpReply {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: AsyncIterable<string>;
}

/**
 * Carries the client's requests by node:http, each over a connection of its own: a command line sends one or two and
 * ends, and an idle connection would keep it alive. Rejects with Node's error if nobody answers.
 */
export function httpTransport(address: HttpAddress): { send(asked: HttpRequest): Promise<HttpReply> } {
  return {
    send: (asked) =>
      new Promise((resolve, reject) => {
        const { method, path, body, signal } = asked;
        const headers = { ...asked.headers, connection: 'close', ...lengthOf(body), ...tokenOf(address) };
        const options = { method, headers, signal, agent: false };
        const outgoing =
          address.kind === 'socket'
            ? request({ ...options, socketPath: address.path, host: 'localhost', path })
            : request(new URL(path, address.url), options);
        outgoing.on('error', reject);
        outgoing.on('response', (incoming) => resolve(replyOf(incoming)));
        outgoing.end(body);
      }),
  };
}

function replyOf(incoming: IncomingMessage): HttpReply {
  return {
    status: incoming.statusCode ?? 0,
    header: (name) => [incoming.headers[name]].flat()[0],
    body: incoming.setEncoding('utf8'),
  };
}

function lengthOf(body: string | undefined): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
}

function tokenOf(address: HttpAddress): Record<string, string> {
  return address.kind === 'url' && address.token !== null ? { authorization: `Bearer ${address.token}` } : {};
}
