import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { openHousehold, PROJECT } from '../../test/driver/household.ts';
import { alternate, type Figure, ratioBar } from '../figure.ts';

const PAIRS = 40;

export const listCommand: Figure = {
  name: 'list-command',
  about: '`takt workspace list` with the service running, beside `node -e 0`',
  async measure() {
    await using household = await openHousehold();
    await household.ok('repo', 'add', 'app', await household.upstream('app', { 'file.txt': 'text\n' }));
    for (const name of ['one', 'two', 'three']) await household.ok('workspace', 'create', name, 'app');
    const run = async (command: string, args: string[]): Promise<void> => {
      const { status, stderr } = spawnSync(command, args, { env: household.environment });
      if (status !== 0) throw new Error(`${command}: exit ${status}: ${stderr.toString()}`);
    };
    const list = (): Promise<void> => run(join(PROJECT, 'takt'), ['workspace', 'list']);
    const plain = (): Promise<void> => run(process.execPath, ['-e', '0']);
    await list();

    const times = await alternate(PAIRS, list, plain);
    return ratioBar(times.a, times.b, 3, 'node -e 0');
  },
};
