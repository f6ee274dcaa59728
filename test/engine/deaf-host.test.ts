import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findAttemptProcesses } from '../../src/platform/attempt-processes.ts';
import { pause } from '../../src/platform/wait.ts';
import { storedBytes } from '../../src/store/output.ts';
import { openEngineHome } from './engine-home.ts';

test('a host that does not answer a cancellation is ended after ten seconds, with all that it started', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const never = join(home.folder, 'never');
  const request = home.request(home.newRun(), { lines: 3, leaves: true, until: never, ignoresCancel: true });
  await engine.ensureStarted(request);
  const signal = AbortSignal.timeout(20_000);
  while (storedBytes(home.database, request.attempt) === 0) await pause(20, signal);

  await engine.cancel(request.attempt, 'cancelled');
  const ended = await engine.awaitOutcome(request.attempt);

  assert.equal(ended.state, 'cancelled');
  assert.equal(ended.reason?.class, 'host_gone');
  assert.deepEqual(findAttemptProcesses(request.attempt), []);
});
