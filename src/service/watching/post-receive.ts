import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { readTextIfThere } from '../../platform/files.ts';
import { hookFault, installHook } from '../../git/root-furniture.ts';
import { shellWord } from '../../git/shell-word.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';

/** Above so many waiting files nothing is written any more; the comparison of refs finds the pushes all the same. */
const SPOOL_LIMIT_FILES = 10_000;
/** Each poke is one byte, and a FIFO holds 65,536: with so few waiting, a service that does not read cannot fill it. */
const POKE_LIMIT_FILES = 1_000;

/** Installs the hook that tells of a push to a root repo. Does nothing where it is there;
 * `kept` are the copies of what was there instead. */
export async function installPostReceive(
  rootFolder: string,
  repo: string,
  layout: HomeLayout,
): Promise<{ isMissing: boolean; kept: string[] }> {
  const text = postReceive(repo, await placesOf(layout));
  const isMissing = (await readTextIfThere(join(rootFolder, 'hooks', 'post-receive'))) !== text;
  return { isMissing, kept: await installHook(rootFolder, 'post-receive', text) };
}

/** What is wrong with that hook; undefined if nothing is. Changes nothing. */
export async function postReceiveFault(
  rootFolder: string,
  repo: string,
  layout: HomeLayout,
): Promise<string | undefined> {
  return hookFault(rootFolder, 'post-receive', postReceive(repo, await placesOf(layout)));
}

type HookPlaces = Pick<HomeLayout, 'pushSpool' | 'pokeFifo'>;

/** By the real path of the home: whichever way a home is reached, the hook is the same. */
async function placesOf({ state, pushSpool, pokeFifo }: HomeLayout): Promise<HookPlaces> {
  const real = await realpath(state);
  return { pushSpool: join(real, relative(state, pushSpool)), pokeFifo: join(real, relative(state, pokeFifo)) };
}

/**
 * It writes `<old> <new> <ref>` lines and `end` into a file of the spool, and pokes the FIFO. It only gives a hint, so
 * that whatever goes wrong is passed over in silence. It starts no program but itself once more, for the poke: that one
 * waits by itself if nobody empties the FIFO, and the push does not wait for it since it holds none of its pipes.
 */
function postReceive(repo: string, { pushSpool, pokeFifo }: HookPlaces): string {
  return `#!/bin/sh
# Written by takt: tells its service of a push. Nothing here may stop or delay one.
umask 077
cd ${shellWord(pushSpool)} 2>/dev/null || exit 0
set -- *
[ $# -lt ${SPOOL_LIMIT_FILES} ] || exit 0
n=0
while [ -e ${shellWord(repo)}.$$.$n ]; do n=$((n + 1)); done
{
  while read -r old new ref; do printf '%s %s %s\\n' "$old" "$new" "$ref"; done
  printf 'end\\n'
} 2>/dev/null > ${shellWord(repo)}.$$.$n
fifo=${shellWord(pokeFifo)}
if [ $# -lt ${POKE_LIMIT_FILES} ] && [ -p "$fifo" ]; then
  { printf . 1<> "$fifo"; } < /dev/null > /dev/null 2>&1 &
fi
exit 0
`;
}
