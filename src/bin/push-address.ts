import { dirname } from 'node:path';
import type { z } from 'zod';
import { openConfig } from '../config/config-source.ts';
import { Fault } from '../contract/faults.ts';
import type { PushOfRepo } from '../contract/operations/push.ts';
import { HIDDEN, withoutSecrets } from '../contract/secrets.ts';
import { homeLayout } from '../platform/home-layout.ts';
import { upstreamAddress } from '../service/operations/repo/upstream-address.ts';

type Planned = Pick<z.infer<typeof PushOfRepo>, 'repo' | 'rootFolder' | 'upstream' | 'pushUrl'>;

/**
 * The addresses of a plan as git needs them. No reply of the service shows a secret, so an address that has one is
 * read from the home's own repos.yaml, and has to be the one that was planned for. Fault: FILE_CHANGED.
 */
export function pushAddresses(plan: Planned): { upstream: string; pushUrl: string } {
  const whole = (shown: string): string => {
    // One that hides nothing is the address itself.
    if (!shown.includes(HIDDEN)) return shown;
    const found = configured(plan).find((address) => withoutSecrets(address) === shown);
    if (found !== undefined) return found;
    throw new Fault('FILE_CHANGED', `config/repos.yaml has another address of ${plan.repo} than ${shown}.`, {
      hint: `\`takt repo fetch ${plan.repo}\` takes the new one in; then look at what would go out again.`,
    });
  };
  return { upstream: whole(plan.upstream), pushUrl: whole(plan.pushUrl) };
}

function configured({ repo, rootFolder }: Planned): string[] {
  const home = dirname(dirname(rootFolder));
  const entry = openConfig(homeLayout(home))
    .repos()
    .find(({ name }) => name === repo);
  return entry === undefined ? [] : [entry.upstream, entry.push_url ?? entry.upstream].map(upstreamAddress);
}
