import { openHousehold, type Household } from '../../test/driver/household.ts';
import { until } from '../../test/driver/until.ts';
import { callService, preciseNowMs, readEvents } from '../events-reader.ts';
import { type Figure, median, quantile } from '../figure.ts';

const STEPS = 20;
const LINES_PER_SECOND = 2_000;
const SECONDS = 8;
const LIMIT_MS = 150;
const LINES = LINES_PER_SECOND * SECONDS;

/** Prints numbered lines with the time in bursts of 20 each 10 ms, as a program does whose output is buffered. */
const PRODUCER = `perl -MTime::HiRes=time,sleep -e '$| = 1; $t = time; for $i (0..${LINES - 1}) { $b .= sprintf("%d %.3f\\n", $i, time * 1000); if ($i % 20 == 19) { print $b; $b = ""; $w = $t + ($i + 1) / ${LINES_PER_SECOND} - time; sleep($w) if $w > 0 } }'`;

interface Reading {
  /** Byte offset up to which the output was read. */
  offset: number;
  isPulling: boolean;
  grewTo: number;
  rest: string;
  next: number;
  lost: number;
  latencies: number[];
}

export const parallelOutput: Figure = {
  name: 'parallel-output',
  about: '20 steps at once, 2,000 lines a second each: from the line to a reader that pulls what SSE tells of',
  async measure(report) {
    await using household = await openHousehold();
    await prepare(household);
    report('20 runs');
    const readings = new Map<string, Reading>();
    const reader = await readEvents(household, 'step.output', ({ data }) => {
      if (data['step'] === 'setup') return;
      const attempt = String(data['attempt']);
      const reading = readings.get(attempt) ?? {
        offset: 0,
        isPulling: false,
        grewTo: 0,
        rest: '',
        next: 0,
        lost: 0,
        latencies: [],
      };
      readings.set(attempt, reading);
      reading.grewTo = Number(data['size']);
      if (!reading.isPulling) void pull(household, String(data['run']), attempt, reading);
    });
    for (let index = 0; index < STEPS; index += 1)
      await callService(household, 'POST', `/api/workspaces/task-${index}/runs`, {});
    await until('all runs to end', () => allEnded(household), 180_000);
    await until(
      'all lines to be read',
      () => ([...readings.values()].every(({ next }) => next === LINES) && readings.size === STEPS ? true : undefined),
      10_000,
    ).catch(() => report('lines are missing'));
    reader.close();

    const all = [...readings.values()];
    const latencies = all.flatMap((reading) => reading.latencies);
    const missing = STEPS * LINES - all.reduce((sum, { next, lost }) => sum + next - lost, 0);
    const p99 = quantile(latencies, 0.99);
    return {
      values: {
        lines: latencies.length,
        missing,
        medianMs: median(latencies),
        p99Ms: p99,
        maxMs: latencies.reduce((most, value) => Math.max(most, value), 0),
      },
      bars: [
        { rule: 'no line is lost', isKept: missing === 0 },
        { rule: `line → reader p99 at most ${LIMIT_MS} ms`, isKept: p99 <= LIMIT_MS },
      ],
    };
  },
};

async function prepare(household: Household): Promise<void> {
  await household.ok('repo', 'add', 'app', await household.upstream('app', { 'file.txt': 'text\n' }));
  await household.ok('setting', 'set', 'steps_at_once', String(STEPS));
  for (let index = 0; index < STEPS; index += 1) {
    await household.ok('workspace', 'create', `task-${index}`, 'app');
    await household.ok('workspace', 'pipeline-set', `task-${index}`, `run:${PRODUCER}`);
  }
}

async function allEnded(household: Household): Promise<true | undefined> {
  const { runs } = JSON.parse((await callService(household, 'GET', '/api/runs?limit=100')).toString()) as {
    runs: { state: string }[];
  };
  const failed = runs.filter(({ state }) => ['failed', 'cancelled', 'superseded'].includes(state));
  if (failed.length > 0) throw new Error(`${failed.length} runs failed`);
  return runs.length === STEPS && runs.every(({ state }) => state === 'passed') ? true : undefined;
}

/** Pulls until what was told of is read; while one pull is under way, frames only raise the mark. */
async function pull(household: Household, run: string, attempt: string, reading: Reading): Promise<void> {
  reading.isPulling = true;
  while (reading.offset < reading.grewTo) {
    const body = await callService(
      household,
      'GET',
      `/api/runs/${run}/logs?attempt=${attempt}&after=${reading.offset}`,
    );
    const readAtMs = preciseNowMs();
    const frames = body
      .toString()
      .split('\n')
      .filter((text) => text !== '');
    // A line of output that is only half stored is not sent yet; the next frame tells of the rest.
    if (frames.length === 0) break;
    for (const frame of frames) takeIn(JSON.parse(frame), reading, readAtMs);
  }
  reading.isPulling = false;
}

function takeIn(
  frame: { offset: number; line: { kind: string; text?: string } },
  reading: Reading,
  readAtMs: number,
): void {
  reading.offset = frame.offset;
  if (frame.line.kind !== 'stdout') return;
  const lines = (reading.rest + (frame.line.text ?? '')).split('\n');
  reading.rest = lines.pop() ?? '';
  for (const line of lines) {
    const [number, atMs] = line.split(' ').map(Number);
    if (number !== reading.next) reading.lost += 1;
    reading.next = (number ?? 0) + 1;
    reading.latencies.push(readAtMs - (atMs ?? 0));
  }
}
