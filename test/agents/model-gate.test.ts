import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { ModelAccess } from '../../src/agents/model-access.ts';
import { openModelGate, type ModelGate } from '../../src/agents/model-gate.ts';

const LIMIT_MS = 10_000;

/** A server in place of the model's service. */
async function newUpstream(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<{ url: string; seen: IncomingMessage[] } & AsyncDisposable> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const openGate = (
  access: ModelAccess,
  environment: Record<string, string> = { ANTHROPIC_API_KEY: 'sk-real' },
  notes: string[] = [],
): Promise<ModelGate> => openModelGate({ access, environment, onNote: (sentence) => notes.push(sentence) });

const post = (gate: ModelGate, path: string, headers: Record<string, string>): Promise<Response> =>
  fetch(gate.url + path, {
    method: 'POST',
    body: '{"model":"sonnet"}',
    headers,
    signal: AbortSignal.timeout(LIMIT_MS),
  });

test('the placeholder opens the gate in either header, and the real key goes on in its place', async () => {
  await using upstream = await newUpstream(async (request, response) => response.end(await text(request)));
  await using gate = await openGate({ kind: 'environment', baseUrl: `${upstream.url}/prefix/` });

  const asKey = await post(gate, '/v1/messages?beta=true', {
    'x-api-key': gate.placeholder,
    cookie: 'a=b',
    'x-takt-step': 'plan',
  });
  const asBearer = await post(gate, '/v1/messages', { authorization: `Bearer ${gate.placeholder}` });

  assert.equal(await asKey.text(), '{"model":"sonnet"}');
  assert.equal(asBearer.status, 200);
  const [first, second] = upstream.seen;
  assert.equal(first!.url, '/prefix/v1/messages?beta=true');
  assert.equal(first!.headers['x-api-key'], 'sk-real');
  assert.equal(first!.headers.host, new URL(upstream.url).host);
  assert.equal(first!.headers.cookie, undefined);
  assert.equal(first!.headers['x-takt-step'], 'plan');
  assert.equal(second!.headers.authorization, undefined);
  assert.doesNotMatch(JSON.stringify([first!.headers, second!.headers]), new RegExp(gate.placeholder));
});

test('without the placeholder of this attempt nothing goes out', async () => {
  await using upstream = await newUpstream((_request, response) => response.end());
  await using gate = await openGate({ kind: 'environment', baseUrl: upstream.url });
  await using other = await openGate({ kind: 'environment', baseUrl: upstream.url });

  const refused = await Promise.all([
    post(gate, '/v1/messages', {}),
    post(gate, '/v1/messages', { 'x-api-key': 'sk-real' }),
    post(gate, '/v1/messages', { 'x-api-key': other.placeholder }),
  ]);

  assert.deepEqual(
    refused.map(({ status }) => status),
    [401, 401, 401],
  );
  assert.equal(upstream.seen.length, 0);
});

test('the gate leads to the model only, however the path is written', async () => {
  await using upstream = await newUpstream((_request, response) => response.end());
  await using gate = await openGate({ kind: 'environment', baseUrl: upstream.url });
  const statusOf = (method: string, path: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      // Unlike fetch, this sends the path as it is written.
      const request = httpRequest(
        gate.url,
        { method, path, headers: { 'x-api-key': gate.placeholder }, signal: AbortSignal.timeout(LIMIT_MS) },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on('error', reject).end();
    });

  const refused = [
    '/',
    '/admin',
    '/v1',
    '/v1/../admin',
    '/v1/%2e%2e/admin',
    '//elsewhere.example/v1/messages',
    'http://elsewhere.example/v1/messages',
    '/v1/files',
    '/v1/files/file_1/content',
    '/v1/messages/batches',
    '/v1/models/../files',
    '/v1/organizations/usage_report/messages',
  ];
  for (const path of refused) assert.equal(await statusOf('GET', path), 403, path);
  assert.equal(await statusOf('DELETE', '/v1/models/one'), 403);
  assert.equal(await statusOf('POST', '/v1/messages/batches'), 403);
  assert.equal(upstream.seen.length, 0);

  assert.equal(await statusOf('HEAD', '/'), 200);
  assert.equal(await statusOf('GET', '/v1/models'), 200);
});

test('a stream passes as it comes, and hanging up reaches the model', async () => {
  let release: (() => void) | undefined;
  const hungUp = Promise.withResolvers<void>();
  await using upstream = await newUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: one\n\n');
    release = () => response.write('event: two\n\n');
    response.on('close', () => hungUp.resolve());
  });
  await using gate = await openGate({ kind: 'environment', baseUrl: upstream.url });
  const abort = new AbortController();

  const response = await fetch(`${gate.url}/v1/messages`, {
    method: 'POST',
    body: '{}',
    headers: { 'x-api-key': gate.placeholder },
    signal: abort.signal,
  });
  const reader = response.body!.getReader();
  const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);

  // The second event is sent only when the first has arrived here, so nothing on the way can have waited for more.
  assert.equal(await read(), 'event: one\n\n');
  release!();
  assert.equal(await read(), 'event: two\n\n');
  abort.abort();
  await hungUp.promise;
});

test('a request that streams in reaches the model before it is complete', async () => {
  const firstPart = Promise.withResolvers<string>();
  await using upstream = await newUpstream((request, response) => {
    request.once('data', (chunk: Buffer) => firstPart.resolve(chunk.toString()));
    request.on('end', () => response.end());
  });
  await using gate = await openGate({ kind: 'environment', baseUrl: upstream.url });

  const request = httpRequest(`${gate.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': gate.placeholder },
  });
  request.write('half');

  assert.equal(await firstPart.promise, 'half');
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
});

test('a token of a subscription goes as Bearer, with the beta that it needs', async () => {
  await using upstream = await newUpstream((_request, response) => response.end());
  await using gate = await openGate({ kind: 'environment', baseUrl: upstream.url }, { CLAUDE_CODE_OAUTH_TOKEN: 'oat' });

  await post(gate, '/v1/messages', {
    authorization: `Bearer ${gate.placeholder}`,
    'anthropic-beta': 'one,oauth-2025-04-20',
  });
  await post(gate, '/v1/messages', { authorization: `Bearer ${gate.placeholder}`, 'anthropic-beta': 'one' });

  const headers = upstream.seen.map((request) => request.headers);
  assert.deepEqual(
    headers.map(({ authorization }) => authorization),
    ['Bearer oat', 'Bearer oat'],
  );
  assert.deepEqual(
    headers.map((each) => each['anthropic-beta']),
    ['one,oauth-2025-04-20', 'one,oauth-2025-04-20'],
  );
  assert.equal(headers[0]!['x-api-key'], undefined);
});

test('a login is read at each request; once it has expired requests are refused and the output says why, once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'takt-login-'));
  const writeLogin = (accessToken: string, expiresAt: number): void =>
    writeFileSync(join(folder, '.credentials.json'), JSON.stringify({ claudeAiOauth: { accessToken, expiresAt } }));
  const notes: string[] = [];
  await using upstream = await newUpstream((_request, response) => response.end());
  await using gate = await openGate({ kind: 'login', baseUrl: upstream.url, configFolder: folder }, {}, notes);
  const ask = (): Promise<Response> => post(gate, '/v1/messages', { authorization: `Bearer ${gate.placeholder}` });

  writeLogin('first', Date.now() + LIMIT_MS);
  await ask();
  writeLogin('renewed', Date.now() + LIMIT_MS);
  await ask();
  writeLogin('renewed', Date.now() - 1);
  const refused = [await ask(), await ask()];

  assert.deepEqual(
    upstream.seen.map(({ headers }) => headers.authorization),
    ['Bearer first', 'Bearer renewed'],
  );
  assert.deepEqual(
    refused.map(({ status }) => status),
    [401, 401],
  );
  assert.equal(notes.length, 1);
  assert.match(notes[0]!, /expired/);
  rmSync(folder, { recursive: true });
});

test('a model that cannot be reached is an error of the API, and the output names it', async () => {
  const notes: string[] = [];
  const closed = await newUpstream(() => undefined);
  await closed[Symbol.asyncDispose]();
  await using gate = await openGate({ kind: 'environment', baseUrl: closed.url }, undefined, notes);

  const response = await post(gate, '/v1/messages', { 'x-api-key': gate.placeholder });

  assert.equal(response.status, 502);
  assert.match(await response.text(), /"type":"error".*not reached \(ECONNREFUSED\)/);
  assert.equal(notes.length, 1);
  assert.doesNotMatch(notes.join(), /sk-real/);
});

test('the gate listens on loopback only and is gone after the attempt', async () => {
  await using upstream = await newUpstream((_request, response) => response.end());
  const gate = await openGate({ kind: 'environment', baseUrl: upstream.url });
  const { hostname, port } = new URL(gate.url);

  await gate[Symbol.asyncDispose]();
  const socket = connect(Number(port), hostname);
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];

  assert.equal(hostname, '127.0.0.1');
  assert.equal(error.code, 'ECONNREFUSED');
});
