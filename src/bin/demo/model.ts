import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { call, giveResult, type ScriptedScenario } from '../../agents/scripted-scenario.ts';
import { startScriptedModel } from '../../agents/scripted-model.ts';
import { Fault } from '../../contract/faults.ts';
import { moneyMend, pricingMend, TEST_COMMAND } from './sample-repos.ts';

/** The model that the demo's agents talk to: a script on loopback. */
export interface DemoModel {
  readonly url: string;
  close(): Promise<void>;
}

/** What the scripted model lets the two agents do: Claude Code carries it out for real. */
const scenario: ScriptedScenario = {
  implement: [
    call(
      'Bash',
      { command: `${TEST_COMMAND} 2>&1 | grep -A4 "not ok\\|expected\\|actual\\|✖" | head -20` },
      'I start with the test that fails.',
    ),
    call(
      'Read',
      { file_path: 'pricing/src/total.js' },
      'The invoice is off by tax on the discount, and by a cent. First the order of discount and tax.',
    ),
    call('Edit', { file_path: 'pricing/src/total.js', old_string: pricingMend.before, new_string: pricingMend.after }),
    call('Read', { file_path: 'money/src/money.js' }, 'Now the cent: amounts are cut off instead of rounded.'),
    call('Edit', { file_path: 'money/src/money.js', old_string: moneyMend.before, new_string: moneyMend.after }),
    call('Bash', { command: TEST_COMMAND }, 'Both are mended; the tests again.'),
    call('Bash', {
      command:
        'git -C pricing commit -qam "total: take the discount off before tax" && git -C money commit -qam "money: round instead of cutting off" && git -C pricing log --oneline -1 && git -C money log --oneline -1',
    }),
    giveResult({
      verdict: 'passed',
      summary:
        'The discount now comes off before tax (pricing), and amounts are rounded to cents (money). All tests pass.',
    }),
  ],
  review: [
    call(
      'Bash',
      { command: 'for repo in money pricing shop; do git -C $repo show --stat --oneline HEAD; done' },
      'I look at what changed.',
    ),
    giveResult({
      verdict: 'passed',
      summary: 'Two one-line changes, each where the cause is, and covered by the new test of shop.',
      findings: [
        {
          severity: 'info',
          repo: 'money',
          file: 'src/money.js',
          message: 'Math.round takes half cents up; negative amounts would round towards zero at exactly half a cent.',
        },
      ],
    }),
  ],
};

export async function startDemoModel(): Promise<DemoModel> {
  const model = await startScriptedModel({ scenario });
  return { url: model.url, close: async () => model[Symbol.asyncDispose]() };
}

/** The environment of everything in the demo: a home, a port and a git identity of its own. Live, the user's own login stays in reach. */
export async function demoEnvironment(folder: string, model: DemoModel | undefined): Promise<Record<string, string>> {
  const user = join(folder, 'user');
  await mkdir(user, { recursive: true });
  const own = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const withoutModel = Object.fromEntries(
    Object.entries(own).filter(([name]) => !/^(ANTHROPIC|CLAUDE)_/.test(name) && name !== 'CLAUDECODE'),
  );
  return {
    ...(model === undefined ? own : withoutModel),
    TAKT_HOME: join(folder, 'home'),
    TAKT_PORT: String(await freePort()),
    GIT_AUTHOR_NAME: 'Demo Developer',
    GIT_AUTHOR_EMAIL: 'developer@demo.example',
    GIT_COMMITTER_NAME: 'Demo Developer',
    GIT_COMMITTER_EMAIL: 'developer@demo.example',
    ...(model === undefined
      ? { HOME: homedir() }
      : { HOME: user, ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'scripted' }),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Fault('INTERNAL', 'The system gave no free port.');
  return address.port;
}
