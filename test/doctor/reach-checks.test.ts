import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { reachChecks } from '../../src/bin/doctor/reach-checks.ts';
import type { LocalCall } from '../../src/cli/local-call.ts';
import { limit } from '../git/scratch.ts';
import { doctorHome } from './doctor-home.ts';

test('many upstreams that are silent take no longer than all may together, and those without a turn say so', async () => {
  using home = await doctorHome();
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const lines = Array.from(
    { length: 12 },
    (_, at) => `  - name: slow${at}\n    upstream: http://127.0.0.1:${port}/x.git\n`,
  );
  writeFileSync(home.layout.reposFile, `repos:\n${lines.join('')}`);
  const { layout } = home;
  const call = { place: { layout, address: { kind: 'socket', path: layout.socket } }, signal: limit() };

  // The checks ask nothing else of the call while no service answers.
  const results = await Promise.all(reachChecks(call as LocalCall, 1_000).map(async (check) => check()));
  for (const socket of sockets) socket.destroy();
  server.close();

  const found = results.map((each) => each.found);
  assert.equal(found.filter((text) => text === 'could not be looked at within 1 s').length, 4);
  assert.equal(found.filter((text) => text.startsWith('had no turn within 1 s')).length, 8);
});
