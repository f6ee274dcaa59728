import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openService, type Reply } from './open-service.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('curl', 'setpriv');

const outcome = ({ status, body }: Reply): [number, string | undefined] => [status, body?.fault?.code];
const json = { 'content-type': 'application/json' };
const act = { method: 'POST', text: '{"all":true}', headers: json };

test('the same user reads without a token and acts only with it; over the socket both work', async () => {
  await using opened = await openService();
  const bearer = { authorization: `Bearer ${await opened.token()}` };

  const read = await opened.tcp('/api/workspaces');
  const refused = await opened.tcp('/api/fetches', act);
  const wrong = await opened.tcp('/api/fetches', { ...act, headers: { ...json, authorization: 'Bearer 0000' } });
  const done = await opened.tcp('/api/fetches', { ...act, headers: { ...json, ...bearer } });
  const local = await opened.ask('/api/fetches', { method: 'POST', body: { all: true } });

  assert.deepEqual([read, refused, wrong, done, local].map(outcome), [
    [200, undefined],
    [403, 'ACCESS_DENIED'],
    [403, 'ACCESS_DENIED'],
    [200, undefined],
    [200, undefined],
  ]);
});

test('token and socket are for their owner alone', async () => {
  await using opened = await openService();
  const state = join(opened.home, '.state');

  const modes = await Promise.all(
    ['.', 'token', 'takt.sock', 'service.lock', 'service.json'].map(
      async (name) => (await stat(join(state, name))).mode & 0o777,
    ),
  );

  assert.deepEqual(modes, [0o700, 0o600, 0o600, 0o600, 0o600]);
});

const isRoot = process.getuid?.() === 0;
test(
  'another user id reads nothing without the token',
  { skip: isRoot ? false : 'only root can take another user id' },
  async () => {
    await using opened = await openService();
    const asNobody = async (...words: string[]): Promise<string> => {
      const args = [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        'curl',
        '-sS',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        ...words,
        `${opened.service.address.url}/api/workspaces`,
      ];
      return (await promisify(execFile)('setpriv', args)).stdout;
    };

    const without = await asNobody();
    const withToken = await asNobody('-H', `authorization: Bearer ${await opened.token()}`);

    assert.deepEqual([without, withToken], ['403', '200']);
  },
);

test('a foreign Host, Origin or page is refused, even with the token, and the own ones are not', async () => {
  await using opened = await openService();
  const { port } = opened.service.address;
  const bearer = { authorization: `Bearer ${await opened.token()}` };
  const read = async (headers: Record<string, string>): Promise<[number, string | undefined]> =>
    outcome(await opened.tcp('/api/workspaces', { headers: { ...bearer, ...headers } }));

  assert.deepEqual(await read({ host: 'evil.example' }), [421, 'HOST_REFUSED']);
  assert.deepEqual(await read({ host: `evil.example:${port}` }), [421, 'HOST_REFUSED']);
  assert.deepEqual(await read({ host: `127.0.0.1:${port + 1}` }), [421, 'HOST_REFUSED']);
  assert.deepEqual(await read({ host: `localhost:${port}` }), [200, undefined]);
  assert.deepEqual(await read({ origin: 'http://evil.example' }), [403, 'ORIGIN_REFUSED']);
  assert.deepEqual(await read({ origin: 'null' }), [403, 'ORIGIN_REFUSED']);
  assert.deepEqual(await read({ origin: `http://localhost:${port}` }), [403, 'ORIGIN_REFUSED']);
  assert.deepEqual(await read({ origin: `http://127.0.0.1:${port}` }), [200, undefined]);
  assert.deepEqual(await read({ 'sec-fetch-site': 'cross-site' }), [403, 'ORIGIN_REFUSED']);
  assert.deepEqual(await read({ 'sec-fetch-site': 'same-site' }), [403, 'ORIGIN_REFUSED']);
  assert.deepEqual(await read({ 'sec-fetch-site': 'same-origin' }), [200, undefined]);
});

test('a body has to be JSON and no larger than its limit', async () => {
  await using opened = await openService();
  const bearer = { authorization: `Bearer ${await opened.token()}` };
  const send = async (headers: Record<string, string>, text: string): Promise<[number, string | undefined]> =>
    outcome(await opened.tcp('/api/fetches', { method: 'POST', text, headers: { ...bearer, ...headers } }));

  assert.deepEqual(await send({ 'content-type': 'text/plain' }, '{"all":true}'), [415, 'BODY_NOT_JSON']);
  assert.deepEqual(await send({ 'content-type': 'application/x-www-form-urlencoded' }, 'all=true'), [
    415,
    'BODY_NOT_JSON',
  ]);
  assert.deepEqual(await send({}, ''), [415, 'BODY_NOT_JSON']);
  assert.deepEqual(await send(json, '{"all":'), [415, 'BODY_NOT_JSON']);
  assert.deepEqual(await send(json, '[true]'), [415, 'BODY_NOT_JSON']);
  assert.deepEqual(await send(json, '{"__proto__":{"all":true}}'), [415, 'BODY_NOT_JSON']);
  assert.deepEqual(await send(json, JSON.stringify({ all: 'x'.repeat(3_000_000) })), [413, 'BODY_TOO_LARGE']);
  assert.deepEqual(await send(json, '{"all":true}'), [200, undefined]);
});

test('an address that is none gets a fault', async () => {
  await using opened = await openService();

  const replies = await Promise.all(['/api/%', '/api/templates/%ff%fe'].map((path) => opened.tcp(path)));

  assert.deepEqual(replies.map(outcome), [
    [400, 'INPUT_INVALID'],
    [400, 'INPUT_INVALID'],
  ]);
});

test('every reply names the home, and a client that means another one is refused', async () => {
  await using opened = await openService();
  const { body: status } = await opened.ask('/api/status');

  const replies = await Promise.all([
    opened.tcp('/api/workspaces'),
    opened.tcp('/api/nothing'),
    opened.tcp('/api/fetches', act),
    opened.tcp('/'),
    opened.tcp('/api/events', { signal: AbortSignal.timeout(200) }).catch(() => undefined),
  ]);
  const other = await opened.ask('/api/workspaces', { headers: { 'takt-home': '0123456789abcdef' } });
  const same = await opened.ask('/api/workspaces', { headers: { 'takt-home': status.homeId } });

  assert.deepEqual(
    replies.slice(0, 4).map((reply) => reply?.headers['takt-home']),
    Array.from({ length: 4 }, () => status.homeId),
  );
  assert.deepEqual([other, same].map(outcome), [
    [421, 'HOME_OTHER'],
    [200, undefined],
  ]);
});

test('a one-time link hands a browser the token, once', async () => {
  await using opened = await openService();
  const { body: link } = await opened.ask('/api/links', { method: 'POST', body: {} });
  const path = new URL(link.url).pathname + new URL(link.url).search;

  const first = await opened.tcp(path);
  const second = await opened.tcp(path);
  const cookie = String(first.headers['set-cookie']);
  const acted = await opened.tcp('/api/fetches', { ...act, headers: { ...json, cookie: cookie.split(';')[0]! } });

  assert.deepEqual([first.status, first.headers['location']], [303, '/']);
  assert.match(cookie, /^takt_token=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=\/$/);
  assert.deepEqual(outcome(second), [403, 'ACCESS_DENIED']);
  assert.equal(acted.status, 200, acted.text);
  assert.ok(link.expiresAtMs - Date.now() <= 60_000);
});

test('the page runs nothing but its own files', async () => {
  await using opened = await openService();

  const page = await opened.tcp('/');
  const script = await opened.tcp('/page.js');

  assert.match(String(page.headers['content-security-policy']), /default-src 'none'; script-src 'self'/);
  assert.doesNotMatch(page.text, /<script(?![^>]*\ssrc=)|\son\w+=|style=/);
  assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.doesNotMatch(script.text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write/);
});
