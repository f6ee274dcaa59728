import assert from 'node:assert/strict';
import { connect, type NetConnectOpts } from 'node:net';
import { test } from 'node:test';
import { openService } from './open-service.ts';

interface Raw {
  readonly status: number;
  readonly home: string | undefined;
  readonly code: string | undefined;
}

/** Sends bytes as they are and reads until the service closes the connection. */
async function send(to: NetConnectOpts, bytes: string): Promise<Raw> {
  const socket = connect(to);
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  socket.write(bytes);
  await new Promise((resolve) => {
    socket.once('close', resolve);
    // The service may close before it has read everything.
    socket.once('error', resolve);
  });
  const body = said.slice(said.indexOf('\r\n\r\n') + 4);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(said)?.[1]),
    home: /^takt-home: (\S+)\r$/im.exec(said)?.[1],
    code: body === '' ? undefined : JSON.parse(body).fault?.code,
  };
}

const ask = (...headers: string[]): string => `${['GET /api/status HTTP/1.1', ...headers].join('\r\n')}\r\n\r\n`;

test('what never becomes a request is answered with the home and a fault, over the port and the socket', async () => {
  await using opened = await openService();
  const { homeId } = (await opened.ask('/api/status')).body;
  const { port, socket } = opened.service.address;

  for (const to of [{ host: '127.0.0.1', port }, { path: socket }]) {
    const host = `Host: 127.0.0.1:${port}`;
    const said = {
      noRequest: await send(to, 'hello there\r\n\r\n'),
      longHeaders: await send(to, ask(host, `X-Long: ${'x'.repeat(20_000)}`)),
      expectation: await send(to, ask(host, 'Expect: miracles')),
    };

    assert.deepEqual(said, {
      noRequest: { status: 400, home: homeId, code: 'INPUT_INVALID' },
      longHeaders: { status: 431, home: homeId, code: 'INPUT_INVALID' },
      expectation: { status: 417, home: homeId, code: 'INPUT_INVALID' },
    });
  }
});

test('a request without a host is refused as one with a foreign host is', async () => {
  await using opened = await openService();
  const { homeId } = (await opened.ask('/api/status')).body;
  const to = { host: '127.0.0.1', port: opened.service.address.port };

  const without = await send(to, ask('Connection: close'));
  const control = await send(to, ask('Connection: close', `Host: 127.0.0.1:${to.port}`));

  assert.deepEqual(without, { status: 421, home: homeId, code: 'HOST_REFUSED' });
  assert.deepEqual(control, { status: 200, home: homeId, code: undefined });
});
