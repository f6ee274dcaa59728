import { relative } from 'node:path';
import type { LocalCall } from '../cli/local-call.ts';
import { initHome } from '../config/init-home.ts';
import { shellWord } from '../git/shell-word.ts';
import { homeFolder } from '../platform/home-layout.ts';

/** Makes the home that is named, else the one that --home or TAKT_HOME names, and says what comes next. */
export async function init({ params, flags, place, terminal }: LocalCall): Promise<number> {
  const { home, isNew } = await initHome(typeof params['folder'] === 'string' ? params['folder'] : place.layout.home);
  if (flags.json) {
    await terminal.write(`${JSON.stringify({ home, isNew }, null, 2)}\n`);
    return 0;
  }
  const isDefault = relative(homeFolder(process.env), home) === '';
  await terminal.write(
    [
      isNew ? `Made a home in ${home}.` : `${home} is a home already; what was missing in it is there now.`,
      ...(isDefault ? [] : ['', 'To use it, set', `  export TAKT_HOME=${shellWord(home)}`]),
      '',
      'Next: `takt doctor` checks this machine, `takt repo add NAME UPSTREAM` mirrors the first repository.',
      '',
    ].join('\n'),
  );
  return 0;
}
