import { watch } from 'node:fs';
import { join } from 'node:path';
import { openHousehold, type Household } from '../../test/driver/household.ts';
import { callService, preciseNowMs, readEvents } from '../events-reader.ts';
import { type Figure, median, quantile } from '../figure.ts';

const PUSHES = 100;
const LIMIT_MS = 15;
const LOST_AFTER_MS = 10_000;

export const triggerLatency: Figure = {
  name: 'trigger-latency',
  about:
    'ref renamed in the root repo → its run committed and told over SSE (an upper bound), beside the whole `git push`',
  async measure(report) {
    await using household = await openHousehold();
    await household.ok('repo', 'add', 'app', await household.upstream('app', { 'file.txt': 'text\n' }));
    await household.ok('workspace', 'create', 'task', 'app');
    await household.ok('workspace', 'pipeline-set', 'task', 'run:true');
    const latencies: number[] = [];
    const pushes: number[] = [];
    for (let round = 0; round < PUSHES; round += 1) {
      if (round % 25 === 0) report(`push ${round} of ${PUSHES}`);
      const { latencyMs, pushMs, run } = await pushOnce(household);
      latencies.push(latencyMs);
      pushes.push(pushMs);
      // While it gathers, cancelling starts nothing; so the next push meets a quiet service.
      await callService(household, 'POST', `/api/runs/${run}/cancel`, {});
    }
    const p99 = quantile(latencies, 0.99);
    return {
      values: {
        medianMs: median(latencies),
        p99Ms: p99,
        maxMs: Math.max(...latencies),
        plainPushMedianMs: median(pushes),
        pushes: PUSHES,
      },
      bars: [{ rule: `p99 at most ${LIMIT_MS} ms`, isKept: p99 <= LIMIT_MS }],
    };
  },
};

async function pushOnce(household: Household): Promise<{ latencyMs: number; pushMs: number; run: string }> {
  const clone = household.clone('task', 'app');
  await household.git(clone, 'commit', '-q', '--allow-empty', '-m', 'a change');
  let renamedAtMs: number | undefined;
  const watcher = watch(join(household.root('app'), 'refs', 'heads'), (_kind, name) => {
    if (name === 'task') renamedAtMs = preciseNowMs();
  });
  let reader: { close(): void } | undefined;
  try {
    const told = Promise.withResolvers<{ run: string; atMs: number }>();
    const lost = setTimeout(() => told.reject(new Error('no run was told of')), LOST_AFTER_MS);
    reader = await readEvents(household, 'run.update', ({ data, readAtMs }) => {
      if (data['data'] !== undefined && (data['data'] as { state?: string }).state === 'gathering')
        told.resolve({ run: String(data['run']), atMs: readAtMs });
    });
    const start = performance.now();
    await household.git(clone, 'push', '-q');
    const pushMs = performance.now() - start;
    const { run, atMs } = await told.promise;
    clearTimeout(lost);
    if (renamedAtMs === undefined) throw new Error('the rename was not seen');
    return { latencyMs: atMs - renamedAtMs, pushMs, run };
  } finally {
    watcher.close();
    reader?.close();
  }
}
