import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { listenSilently } from '../driver/forwarder.ts';
import { serveGitHttp } from '../driver/git-http.ts';
import { freePort, type Household, openHousehold } from '../driver/household.ts';
import { startProxy } from '../driver/proxy-server.ts';
import { inTime, inTimeAndWell } from './reach-home.ts';

const PASSWORD = 'hush-4711';

/** `http_proxy` with a password, for a proxy on this port. */
function useProxy(household: Household, port: number): void {
  household.environment['http_proxy'] = `http://ada:${PASSWORD}@127.0.0.1:${port}`;
}

async function open(household: Household) {
  await household.upstream('app', { 'a.txt': 'a\n' });
  const http = await serveGitHttp(join(household.folder, 'upstream'), { user: 'ada', password: 'sesame' });
  const add = async (name: string) => {
    // The service has the environment of the shell that starts it.
    await household.ok('service', 'restart');
    return inTime(household, 'repo', 'add', name, http.url('app').replace('//', '//ada:sesame@'));
  };
  return { http, add };
}

test('a proxy that works is used, and one that is not there, is silent or refuses is named', async () => {
  await using household = await openHousehold();
  const { http: opened, add } = await open(household);
  await using http = opened;
  await using working = await startProxy();
  await using refusing = await startProxy({ refusal: 403 });
  await using asking = await startProxy({ refusal: 407 });
  await using silent = await listenSilently();

  useProxy(household, working.port);
  const through = await add('through');
  useProxy(household, await freePort());
  const gone = await add('gone');
  useProxy(household, refusing.port);
  const refused = await add('refused');
  useProxy(household, asking.port);
  const asked = await add('asked');
  useProxy(household, silent.port);
  const unanswered = await add('unanswered');
  household.environment['no_proxy'] = '127.0.0.0/8';
  const around = await add('around');

  assert.equal(through.code, 0, through.stderr);
  assert.ok(working.asked.some((line) => line.startsWith(`GET http://127.0.0.1:${http.port}/app.git`)));
  assert.equal(around.code, 0, around.stderr);
  const expected: [typeof gone, RegExp][] = [
    [gone, /takes no connections/],
    [refused, /refused \(HTTP 403\)/],
    [asked, /asks for a name and a password/],
    [unanswered, /did not answer/],
  ];
  for (const [{ fault, stderr }, how] of expected) {
    assert.equal(fault?.code, 'PROXY_REFUSED', stderr);
    assert.match(fault.message, how);
    assert.match(fault.message, /The proxy http:\/\/ada:\*\*\*@127\.0\.0\.1:\d+ \(the variable http_proxy\)/);
    assert.doesNotMatch(stderr, new RegExp(PASSWORD));
  }
});

test('a proxy of a setting is named as that, and a tunnel that it refuses is told from an upstream that does', async () => {
  await using household = await openHousehold();
  await using refusing = await startProxy({ refusal: 403 });
  const setting = ['config', '--global', 'http.https://127.0.0.1.proxy', `http://127.0.0.1:${refusing.port}`];
  await household.git(household.folder, ...setting);

  const refused = await inTime(household, 'repo', 'add', 'app', 'https://127.0.0.1/app.git');

  assert.equal(refused.fault?.code, 'PROXY_REFUSED', refused.stderr);
  assert.match(refused.fault.message, /\(git’s setting http\.proxy\) refused \(HTTP 403\)/);
  assert.deepEqual(refusing.asked[0], 'CONNECT 127.0.0.1:443');
});

test('behind a tunnel that a proxy made, it is the upstream that fails', async () => {
  await using household = await openHousehold();
  const { http: opened } = await open(household);
  await using http = opened;
  await using working = await startProxy();
  await using silent = await listenSilently();
  household.environment['https_proxy'] = `http://127.0.0.1:${working.port}`;
  await household.ok('service', 'start');

  const plain = await inTime(household, 'repo', 'add', 'app', `https://127.0.0.1:${http.port}/app.git`);
  const unanswered = await inTime(household, 'repo', 'add', 'app', `https://127.0.0.1:${silent.port}/app.git`);

  assert.equal(plain.fault?.code, 'UPSTREAM_UNREACHABLE', plain.stderr);
  assert.match(plain.fault.message, /was reached, but no secured connection came about/);
  assert.equal(unanswered.fault?.code, 'UPSTREAM_UNREACHABLE', unanswered.stderr);
  assert.match(unanswered.fault.message, /said nothing/);
});

test('a service with another proxy than the shell is told from an upstream that is away', async () => {
  await using household = await openHousehold();
  const { http: opened } = await open(household);
  await using http = opened;
  // The worst case for time: the service waits in vain, and the shell tries meanwhile.
  await using silent = await listenSilently();
  useProxy(household, silent.port);
  await household.ok('service', 'start');
  delete household.environment['http_proxy'];
  const add = ['repo', 'add', 'app', http.url('app').replace('//', '//ada:sesame@')];

  const refused = await inTime(household, ...add);
  await household.ok('service', 'restart');
  await inTimeAndWell(household, ...add);

  assert.equal(refused.fault?.code, 'SERVICE_CANNOT_REACH', refused.stderr);
  assert.match(refused.fault.message, /and the service does not: The proxy .* did not answer/);
  assert.match(refused.fault.hint, /differ in http_proxy\./);
  assert.doesNotMatch(refused.stderr, new RegExp(`${PASSWORD}|sesame`));
});
