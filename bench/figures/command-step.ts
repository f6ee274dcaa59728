import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { newAttemptHome } from '../../test/steps/attempt-home.ts';
import { PROJECT } from '../../test/driver/household.ts';
import { alternate, type Figure, median, quantile } from '../figure.ts';

const PAIRS = 40;
const LIMIT_MS = 60;

export const commandStep: Figure = {
  name: 'command-step',
  about: 'a confined command step that does nothing, from the start of its host to its outcome, beside `node -e 0`',
  async measure() {
    using cleanups = new DisposableStack();
    const home = newAttemptHome({ after: (work) => cleanups.defer(work) });
    const setup = await home.setUp();
    if (setup.state !== 'passed') throw new Error(`setup: ${JSON.stringify(setup.reason)}`);
    const step = async (): Promise<void> => {
      const attempt = home.attempt();
      await endOf([join(PROJECT, 'dist', 'step-host.js'), attempt.folder]);
      const outcome = await attempt.untilOutcome();
      if (outcome.state !== 'passed' || outcome.confinement?.filesystem !== 'bubblewrap')
        throw new Error(`step: ${JSON.stringify(outcome)}`);
    };
    await step();

    const times = await alternate(PAIRS, step, () => endOf(['-e', '0']));
    const added = median(times.a) - median(times.b);
    return {
      values: {
        stepMedianMs: median(times.a),
        stepP99Ms: quantile(times.a, 0.99),
        plainMedianMs: median(times.b),
        plainP99Ms: quantile(times.b, 0.99),
        addedMs: added,
        ratio: median(times.a) / median(times.b),
        pairs: PAIRS,
      },
      bars: [{ rule: `median at most ${LIMIT_MS} ms more than node -e 0`, isKept: added <= LIMIT_MS }],
    };
  },
};

function endOf(words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${words.join(' ')}: exit ${code}`))));
  });
}
