import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';

export interface GitHttp {
  readonly port: number;
  url(name: string): string;
  /** Requests that came with the right name and password, and those that did not. */
  readonly counts: { allowed: number; refused: number };
  /** Destroys the connection once that many bytes of the next push have come. */
  cutNextPush(afterBytes: number): void;
  /** From now on it takes requests and answers none. */
  fallSilent(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Git's own HTTP backend over a folder of bare repositories, behind basic authentication, on loopback. */
export async function serveGitHttp(folder: string, account: { user: string; password: string }): Promise<GitHttp> {
  const counts = { allowed: 0, refused: 0 };
  let cutAfterBytes: number | undefined;
  let isSilent = false;
  const wanted = `Basic ${Buffer.from(`${account.user}:${account.password}`).toString('base64')}`;
  const server = createServer((request, response) => {
    if (isSilent) return;
    if (request.headers.authorization !== wanted) {
      counts.refused += 1;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    counts.allowed += 1;
    if (cutAfterBytes !== undefined && request.method === 'POST' && request.url?.endsWith('/git-receive-pack')) {
      // Of a long push, git first sends a POST of four bytes to see whether it may.
      if (request.headers['content-length'] !== '4') {
        cutAfter(request, cutAfterBytes);
        cutAfterBytes = undefined;
      }
    }
    answerGit(folder, account.user, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    port: address.port,
    url: (name) => `http://127.0.0.1:${address.port}/${name}.git`,
    counts,
    cutNextPush(afterBytes) {
      cutAfterBytes = afterBytes;
    },
    fallSilent() {
      isSilent = true;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function cutAfter(request: IncomingMessage, bytes: number): void {
  let came = 0;
  request.on('data', (chunk: Buffer) => {
    came += chunk.length;
    if (came >= bytes) request.socket.destroy();
  });
}

/** Answers one request of git's HTTP protocol from a folder of bare repositories. */
export function answerGit(folder: string, user: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REMOTE_USER: user,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // A client that hangs up ends the backend's input; its exit follows by itself.
  pipeline(request, backend.stdin, () => undefined);
  let head = Buffer.alloc(0);
  backend.stdout.on('data', (chunk: Buffer) => {
    if (response.headersSent) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const fields = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = Number(fields.find(([name]) => name.toLowerCase() === 'status')?.[1].split(' ')[0] ?? 200);
    response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name.toLowerCase() !== 'status')));
    response.write(head.subarray(end + 4));
  });
  backend.on('close', () => response.end());
}
