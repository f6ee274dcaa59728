import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { withoutSecrets } from '../../src/contract/secrets.ts';
import { upstreamName } from '../../src/git/fetch-branch.ts';
import { exchangesIn, hasSpokenIn, wordOf } from '../../src/git/contact-trace.ts';
import { gitEnvironment } from '../../src/git/git.ts';
import { proxyFor } from '../../src/git/http-proxy.ts';
import { differingVariables, hashedEnvironment } from '../../src/git/reach-environment.ts';
import { rewrittenAddress, transportOf } from '../../src/git/transport.ts';
import { askUpstream } from '../../src/git/upstream.ts';
import { isFault, limit, newScratch, write } from './scratch.ts';

/** git's environment for a user with this configuration and these variables. */
function environment(configFile: string, more: Record<string, string> = {}): Record<string, string> {
  const own = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  return { ...gitEnvironment({ ...own, GIT_CONFIG_GLOBAL: configFile, ...more }, { interactive: false }).env };
}

test('passwords and tokens in addresses are masked, and nothing else is', () => {
  const masked: [text: string, shown: string][] = [
    ['https://ada:se%40same@host:8443/app.git', 'https://ada:***@host:8443/app.git'],
    ["fatal: 'http://ada:a@b@host/x' and ssh://git:pw@h/y", "fatal: 'http://ada:***@host/x' and ssh://git:***@h/y"],
    ['https://ghp_0123456789abcdefghij@github.com/a/b', 'https://***@github.com/a/b'],
    ['https://x-access-token:ghs_abc@github.com/a/b', 'https://x-access-token:***@github.com/a/b'],
    ['https://:secret@host/x', 'https://:***@host/x'],
    ['http://host/x.git?private_token=abc', 'http://host/x.git?private_token=***'],
    [
      "fatal: unable to access 'https://host/x?a=1&api-key=abc/': no",
      "fatal: unable to access 'https://host/x?a=1&api-key=***': no",
    ],
    ['see (https://host/x?accessToken=a.b;sig=c%3D), or wait', 'see (https://host/x?accessToken=***;sig=***), or wait'],
    ['https://host/x?q=glpat-abcdefgh1234#password=pw.', 'https://host/x?q=***#password=***.'],
    ['ada:s3cret@127.0.0.1:x.git', 'ada:***@127.0.0.1:x.git'],
    [
      "origin ('ada:a:b@c@[::1]:/srv/x'), fork (me:pw@host:y/z)",
      "origin ('ada:***@[::1]:/srv/x'), fork (me:***@host:y/z)",
    ],
    ['https://0123456789abcdef01234:x-oauth-basic@host/x', 'https://***:***@host/x'],
    ['https://0123456789abcdef01234:@host/x', 'https://***:***@host/x'],
    ['https://host/x?api_key=a&key=b', 'https://host/x?api_key=***&key=***'],
  ];
  const plain = [
    'https://ada@host/app.git',
    'http://127.0.0.1:8080/app.git',
    'git@github.com:acme/app.git',
    'ssh://git@host:22/app',
    'see https://host:80/x, or ask ada@example.org',
    '/home/me/a:b@c',
    '/home/me/a:b@c:d',
    'a:b in a sentence, ada:b@host: too, and mail to ada@example.org:me',
    'refs/heads/x:refs/heads/y@{1}:z',
    '[me@::1]:app.git',
    'https://host/x?page=2&monkey_bars=3#top',
    'what is key=x?token=y',
    'image node:20@sha256:deadbeef is not allowed; see file.ts:12@main:3',
    'https://host/x?primary_key=3&sort_key=4&monkey=5',
    'https://organization-long-name-here@dev.azure.com/o/p/_git/r',
  ];

  assert.deepEqual(
    masked.map(([text]) => withoutSecrets(text)),
    masked.map(([, shown]) => shown),
  );
  assert.deepEqual(plain.map(withoutSecrets), plain);
});

test('what an upstream is called in a message that stays holds no login and no secret', () => {
  const called: [address: string, name: string][] = [
    ['https://ada:pw@host/acme/app.git', 'acme/app'],
    ['https://host/acme/app.git?private_token=abc', 'acme/app'],
    ['https://host/acme/app/?token=abc#key=abc', 'acme/app'],
    ['git@host:acme/app.git', 'acme/app'],
    ['ada:s3cret@host:acme/app.git', 'acme/app'],
    ['host:acme/a@b.git', 'acme/a@b'],
    ['/srv/what?.git', 'what?'],
  ];

  assert.deepEqual(
    called.map(([address]) => [address, upstreamName(address)]),
    called,
  );
});

test('an address is read as git reads it', () => {
  const ssh = (destination: string, port: string | null = null) => ({ kind: 'ssh', destination, port });
  const addresses: [address: string, transport: ReturnType<typeof transportOf> | object][] = [
    ['https://host/app.git', { kind: 'http', url: 'https://host/app.git' }],
    ['git@host:acme/app.git', ssh('git@host')],
    ['forge:app.git', ssh('forge')],
    ['[host:2222]:app.git', ssh('host', '2222')],
    ['me@[::1]:app.git', ssh('me@::1')],
    ['ssh://me@host:2222/app', ssh('me@host', '2222')],
    ['ssh://me:pw@[::1]:2222/app', ssh('me@::1', '2222')],
    ['git+ssh://host/app', ssh('host')],
    ['git://host/app', { kind: 'socket', host: 'host', port: null }],
    ['/srv/app.git', { kind: 'disk', path: '/srv/app.git' }],
    ['./a:b', { kind: 'disk', path: './a:b' }],
    ['file:///srv/app.git', { kind: 'disk', path: '/srv/app.git' }],
  ];

  assert.deepEqual(
    addresses.map(([address]) => transportOf(address)),
    addresses.map(([, transport]) => transport),
  );
});

test('addresses that the user’s git rewrites are seen as what git makes of them', async () => {
  using scratch = newScratch();
  const file = scratch.path('gitconfig');
  write(
    file,
    '[url "git@forge:"]\n\tinsteadOf = https://forge/\n[url "ssh://git@forge:22/"]\n\tpushInsteadOf = https://forge/\n',
  );
  const env = environment(file);
  const rewritten = (address: string, isPush: boolean): Promise<string> =>
    rewrittenAddress(scratch.folder, address, { isPush, env, signal: limit() });

  assert.equal(await rewritten('https://forge/a.git', false), 'git@forge:a.git');
  assert.equal(await rewritten('https://forge/a.git', true), 'ssh://git@forge:22/a.git');
  assert.equal(await rewritten('https://other/a.git', true), 'https://other/a.git');
});

test('an address that ssh would take for an option is refused before ssh is started', async () => {
  using scratch = newScratch();
  const canary = scratch.path('canary');
  const env = environment(scratch.path('none'));

  for (const address of [`ssh://-oProxyCommand=touch%20${canary}/x`, `-oProxyCommand=touch ${canary}:x`])
    await assert.rejects(askUpstream(scratch.folder, address, { signal: limit(), env }), isFault('INPUT_INVALID'));

  assert.equal(existsSync(canary), false);
});

test('the proxy is the one that git takes, and named by where it is set', async () => {
  using scratch = newScratch();
  const file = scratch.path('gitconfig');
  write(file, '[http "https://forge"]\n\tproxy = http://u:pw@conf:3128\n[http "https://straight"]\n\tproxy =\n');
  const env = environment(file, {
    https_proxy: 'small:1',
    HTTPS_PROXY: 'http://large:2',
    HTTP_PROXY: 'http://cgi:3',
    all_proxy: 'socks5h://all',
    no_proxy: '.inner.example, 10.0.0.0/8 fe80::/10,exact.example',
  });
  const found = async (url: string): Promise<string> => {
    const proxy = await proxyFor(scratch.folder, url, { env, signal: limit() });
    return proxy === null ? 'none' : `${proxy.address} ${proxy.host} ${proxy.port} ${proxy.from}`;
  };

  assert.equal(await found('https://forge/a'), 'http://u:***@conf:3128 conf 3128 git’s setting http.proxy');
  assert.equal(await found('https://other/a'), 'http://small:1 small 1 the variable https_proxy');
  assert.equal(await found('http://other/a'), 'socks5h://all all 1080 the variable all_proxy');
  for (const host of ['straight', 'a.inner.example', '10.1.2.3', '[fe80::1]', 'exact.example'])
    assert.equal(await found(`https://${host}/a`), 'none', host);
  for (const host of ['inexact.example', '11.1.2.3', '[::1]'])
    assert.notEqual(await found(`https://${host}/a`), 'none');
});

test('a trace tells what was asked, what was answered, and whether git was spoken', () => {
  const line = (text: string): string => `20:00:00.000000 http.c:684              ${text}\n`;
  const trace = [
    '=> Send header: CONNECT host:443 HTTP/1.1',
    '<= Recv header: HTTP/1.1 200 OK',
    '=> Send header: GET /a/info/refs HTTP/2',
    '=> Send header: authorization: Basic <redacted>',
    '<= Recv header: HTTP/2 100',
    '<= Recv header: HTTP/2 401',
  ];
  const packet = (text: string): string => `20:00:00.000000 pkt-line.c:80             packet: ${text}\n`;

  const exchanges = exchangesIn(trace.map(line).join(''));

  assert.deepEqual(
    exchanges.map(({ method, target, hasCredentials, status }) => [method, target, hasCredentials, status]),
    [
      ['CONNECT', 'host:443', false, 200],
      ['GET', '/a/info/refs', true, 401],
    ],
  );
  assert.equal(hasSpokenIn(packet('        fetch< version 2')), true);
  assert.equal(hasSpokenIn(packet('          git< # service=git-upload-pack')), true);
  for (const nothing of ['  upload-pack< command=fetch', '        fetch> 0000', '        fetch< ERR access denied'])
    assert.equal(hasSpokenIn(packet(nothing)), false, nothing);
  assert.deepEqual(
    ['', line('== Info: Trying'), trace.map(line).join('')].map((text) => wordOf(text, { isQuiet: false })),
    ['not asked', 'owed', 'given'],
  );
  assert.equal(wordOf(trace.map(line).join(''), { isQuiet: true }), 'owed');
});

test('two environments are compared without a value of either being told', () => {
  const service = { HOME: '/home/ada', SSH_AUTH_SOCK: '/run/a', GH_ENTERPRISE_TOKEN: 'gho_secret', EDITOR: 'vi' };
  const shell = {
    HOME: '/home/ada',
    SSH_AUTH_SOCK: '/run/b',
    https_proxy: 'http://p',
    EDITOR: 'ed',
    PATH: '/bin',
    XDG_SESSION_ID: '7',
    SSH_AGENT_PID: '9',
    XDG_CONFIG_HOME: '/c',
  };

  const hashed = hashedEnvironment(service);

  assert.deepEqual(differingVariables(shell, hashed), [
    'GH_ENTERPRISE_TOKEN',
    'SSH_AUTH_SOCK',
    'XDG_CONFIG_HOME',
    'https_proxy',
  ]);
  assert.deepEqual(differingVariables(service, hashed), []);
  // Digests are hexadecimal, and so may hold an ada of their own.
  assert.doesNotMatch(JSON.stringify(hashed), /home|secret|run/);
  assert.notEqual(hashedEnvironment(service).environment['HOME'], hashed.environment['HOME']);
});

test('settings that are given by variables stay, and takt’s own win over them', () => {
  const given = {
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'credential.helper',
    GIT_CONFIG_VALUE_0: 'store',
    GIT_CONFIG_KEY_1: 'core.hooksPath',
    GIT_CONFIG_VALUE_1: '/theirs',
  };

  const { env } = gitEnvironment(given, { interactive: false });

  const count = Number(env['GIT_CONFIG_COUNT']);
  const pairs = Array.from({ length: count }, (_, at) => [env[`GIT_CONFIG_KEY_${at}`], env[`GIT_CONFIG_VALUE_${at}`]]);
  assert.deepEqual(pairs[0], ['credential.helper', 'store']);
  assert.deepEqual(pairs.findLast(([key]) => key === 'core.hooksPath')?.[1], '/dev/null');
  assert.equal(
    gitEnvironment({ GIT_CONFIG_COUNT: 'many' }, { interactive: false }).env['GIT_CONFIG_KEY_0'],
    'core.hooksPath',
  );
});

test('limits of the user’s own are kept: a shorter time to connect, and words of ssh that takt does not know', async () => {
  using scratch = newScratch();
  const seen = scratch.path('seen');
  const log = `echo "$@" >> ${seen}`;
  write(
    scratch.path('bin/ssh'),
    `#!/bin/sh\n${log}\ncase "$1" in -G) echo hostname h; echo connecttimeout 3; echo serveraliveinterval 60; exit 0 ;; esac\nexit 255\n`,
    0o755,
  );
  write(scratch.path('bin/plink'), `#!/bin/sh\n${log}\nexit 1\n`, 0o755);
  const calls = async (command: string): Promise<string> => {
    write(seen, '');
    const env = environment(scratch.path('none'), { GIT_SSH_COMMAND: command });
    await assert.rejects(askUpstream(scratch.folder, 'ssh://h/x', { signal: limit(), env }));
    return readFileSync(seen, 'utf8');
  };

  const openSsh = await calls(scratch.path('bin/ssh'));
  const plink = await calls(scratch.path('bin/plink'));

  assert.match(openSsh, /^-o BatchMode=yes -o SendEnv/m);
  assert.doesNotMatch(openSsh, /ConnectTimeout=5|ServerAlive/);
  assert.doesNotMatch(plink, /-o|-G/);
});
