import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { PROJECT } from '../driver/household.ts';

interface Demo {
  readonly code: number | null;
  readonly said: string;
  /** What is left in the temporary folder, and the processes that still name it. */
  readonly left: string[];
}

for (const [signal, amid] of [
  ['SIGINT', '$ takt repo add money'],
  ['SIGINT', 'The run, live'],
  ['SIGTERM', 'The run, live'],
] as const) {
  test(`the demo leaves no service, no work and no folder at ${signal} amid "${amid}"`, async () => {
    const { code, said, left } = await demo({ signal, amid });

    assert.equal(code, 130, said);
    assert.deepEqual(left, []);
  });
}

test('two demos at once both end with mended upstreams, and leave nothing', async () => {
  const demos = await Promise.all([demo(), demo()]);

  for (const { code, said, left } of demos) {
    assert.equal(code, 0, said);
    assert.match(said, /Done: the three upstreams hold the mended code/);
    assert.deepEqual(left, []);
  }
});

async function demo(interrupted?: { signal: NodeJS.Signals; amid: string }): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-test-demo-'));
  const { TAKT_HOME: _, TAKT_PORT: __, TAKT_URL: ___, ...environment } = process.env;
  // A process group of its own, as a terminal gives one: all of it gets the signal.
  const child = spawn(process.execPath, [join(PROJECT, 'dist', 'takt.js'), 'demo'], {
    detached: true,
    env: { ...environment, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let isSent = false;
  const hear = (chunk: string): void => {
    said += chunk;
    if (interrupted === undefined || isSent || !said.includes(interrupted.amid)) return;
    isSent = true;
    process.kill(-child.pid!, interrupted.signal);
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, said, left: [...(await readdir(folder)), ...(await processesThatName(folder))] };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

async function processesThatName(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [words, environment] = await Promise.all(
      ['cmdline', 'environ'].map((name) => readFile(`/proc/${entry}/${name}`, 'utf8').catch(() => '')),
    );
    if (words!.includes(folder) || environment!.includes(folder))
      found.push(words!.replaceAll('\0', ' ').slice(0, 200));
  }
  return found;
}
