import { Fault } from '../../../contract/faults.ts';
import type { ConfigSource } from '../../../config/config-source.ts';
import type { Root } from '../../../store/roots.ts';
import { upstreamAddress } from './upstream-address.ts';

/**
 * The file is the truth, and the store has what was fetched last: where the two differ, nobody can say what a push would
 * meet. Fault FILE_CHANGED, before anything goes out.
 */
export function refuseChangedAddresses(config: Pick<ConfigSource, 'repos'>, root: Root): void {
  const entry = config.repos().find(({ name }) => name === root.repo);
  if (entry === undefined) return;
  const upstream = upstreamAddress(entry.upstream);
  const pushUrl = upstreamAddress(entry.push_url ?? entry.upstream);
  if (upstream === root.upstream && pushUrl === root.pushUrl) return;
  throw new Fault(
    'FILE_CHANGED',
    `The addresses of ${root.repo} in repos.yaml were changed since it was fetched last.`,
    {
      hint: `\`takt repo fetch ${root.repo}\` looks what is there now; then repeat.`,
    },
  );
}
