import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openConfig } from '../../src/config/config-source.ts';
import { homeLayout } from '../../src/platform/home-layout.ts';
import { openDatabase } from '../../src/store/database.ts';
import { rootOf } from '../../src/store/roots.ts';
import { createEventBus } from '../../src/service/event-bus.ts';
import { startIntervalFetch } from '../../src/service/interval-fetch.ts';
import { createKeyedLock } from '../../src/service/keyed-lock.ts';
import type { ServiceParts } from '../../src/service/parts.ts';
import { openService } from './open-service.ts';
import { until } from '../driver/until.ts';

test('repos are fetched by themselves once in an interval, and a failure is noted and mended by the next', async () => {
  await using opened = await openService();
  const upstream = await opened.addRepo('app');
  await opened.service.stop();
  const layout = homeLayout(opened.home);
  await writeFile(layout.settingsFile, 'fetch_interval_s: 1\n');
  const database = openDatabase(layout.database);
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const parts = {
    layout,
    database,
    config: openConfig(layout),
    bus: createEventBus(),
    locks: createKeyedLock(),
    log: quiet,
  } as unknown as ServiceParts;
  const work = join(opened.folder, 'work', 'app');
  await opened.git(work, 'commit', '-q', '--allow-empty', '-m', 'more');
  await opened.git(work, 'push', '-q', upstream, 'main');
  const newest = await opened.git(work, 'rev-parse', 'HEAD');
  const stopping = new AbortController();

  const stop = startIntervalFetch(parts, stopping.signal, 0);
  // Its timers keep no process alive, so this test does.
  const alive = setInterval(() => undefined, 1000);
  await until('the new commit', async () =>
    (await opened.git(layout.root('app'), 'rev-parse', 'main')) === newest ? true : undefined,
  );
  await rename(upstream, `${upstream}.away`);
  const fault = await until('the fault', () => rootOf(database, 'app').fetchFault ?? undefined);
  await rename(`${upstream}.away`, upstream);
  await until('the fault to be mended', () => (rootOf(database, 'app').fetchFault === null ? true : undefined));
  stopping.abort();
  stop();
  clearInterval(alive);
  await opened.restart();

  assert.equal(fault.code, 'UPSTREAM_MISSING');
});
