import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { openHousehold, type Household } from '../driver/household.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('curl', 'setpriv');

const curl = (words: string[], asUser?: number): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const all = ['-sS', '-o', '-', '-w', '\n%{http_code}', '--max-time', '10', ...words];
    const [command, args] =
      asUser === undefined
        ? ['curl', all]
        : ['setpriv', [`--reuid=${asUser}`, `--regid=${asUser}`, '--clear-groups', 'curl', ...all]];
    execFile(command, args, (error, stdout) => {
      if (error !== null) return reject(error);
      const cut = stdout.lastIndexOf('\n');
      resolve({ status: Number(stdout.slice(cut + 1)), body: stdout.slice(0, cut) });
    });
  });

const faultOf = (body: string): string => JSON.parse(body).fault.code;

async function withService(): Promise<Household & { url: string }> {
  const household = await openHousehold();
  await household.ok('service', 'start');
  return Object.assign(household, { url: `http://127.0.0.1:${household.port}` });
}

test('curl by the same user reads without a token, and acts only with it', async () => {
  await using household = await withService();
  const act = [
    '-X',
    'POST',
    '-H',
    'content-type: application/json',
    '-d',
    '{"all":true}',
    `${household.url}/api/fetches`,
  ];

  const read = await curl([`${household.url}/api/workspaces`]);
  const refused = await curl(act);
  const done = await curl(['-H', `authorization: Bearer ${await household.token()}`, ...act]);

  assert.deepEqual([read.status, JSON.parse(read.body)], [200, { workspaces: [] }]);
  assert.deepEqual([refused.status, faultOf(refused.body)], [403, 'ACCESS_DENIED']);
  assert.equal(done.status, 200, done.body);
});

test('another user id reads nothing without the token', async () => {
  await using household = await withService();

  const without = await curl([`${household.url}/api/workspaces`], 65534);
  const withToken = await curl(
    ['-H', `authorization: Bearer ${await household.token()}`, `${household.url}/api/workspaces`],
    65534,
  );

  assert.deepEqual([without.status, faultOf(without.body)], [403, 'ACCESS_DENIED']);
  assert.equal(withToken.status, 200);
});

test('a foreign Host, a foreign Origin and a body of text are refused, even with the token', async () => {
  await using household = await withService();
  const token = ['-H', `authorization: Bearer ${await household.token()}`];
  const json = ['-H', 'content-type: application/json', '-d', '{"all":true}'];

  const host = await curl([...token, '-H', 'host: evil.example', `${household.url}/api/workspaces`]);
  const origin = await curl([...token, '-H', 'origin: http://evil.example', ...json, `${household.url}/api/fetches`]);
  const text = await curl([
    ...token,
    '-H',
    'content-type: text/plain',
    '-d',
    '{"all":true}',
    `${household.url}/api/fetches`,
  ]);
  const own = await curl([...token, '-H', `origin: ${household.url}`, ...json, `${household.url}/api/fetches`]);

  assert.deepEqual([host.status, faultOf(host.body)], [421, 'HOST_REFUSED']);
  assert.deepEqual([origin.status, faultOf(origin.body)], [403, 'ORIGIN_REFUSED']);
  assert.deepEqual([text.status, faultOf(text.body)], [415, 'BODY_NOT_JSON']);
  assert.equal(own.status, 200, own.body);
});

test('a one-time link hands a browser the token once', async () => {
  await using household = await withService();
  const link = (await household.ok('open', '--print')).trim();

  const first = await curl(['-i', link]);
  const second = await curl([link]);

  const cookie = /set-cookie: (takt_token=[^;]+);([^\r\n]*)/i.exec(first.body);
  assert.match(cookie?.[2] ?? '', /HttpOnly/i);
  assert.match(cookie?.[2] ?? '', /SameSite=Strict/i);
  assert.notEqual(second.status, first.status);
  const acted = await curl([
    '-H',
    `cookie: ${cookie?.[1]}`,
    '-X',
    'POST',
    '-H',
    'content-type: application/json',
    '-d',
    '{"all":true}',
    `${household.url}/api/fetches`,
  ]);
  assert.equal(acted.status, 200, acted.body);
});
