import { isAbsolute } from 'node:path';
import type { LocalCall } from '../cli/local-call.ts';
import { performJob } from '../cli/run-command.ts';
import { withWholePath } from '../cli/upstream-path.ts';
import { Fault } from '../contract/faults.ts';
import { readClone } from '../git/normal-clone.ts';
import { pushPlaceOf } from '../git/push-place.ts';
import { commandNamed } from '../grammar/command-table.ts';
import type { Params } from '../grammar/parse-line.ts';
import { isFaultOfReach, probeFromService, probeFromShell, serviceCannotReach } from './probe-from-shell.ts';

/** A service that is not done after so long may be waiting for an upstream; this shell then tries it as well. */
const PROBE_AFTER_MS = 1_000;

/**
 * Has the service mirror a repository. If the service cannot reach it, this shell tries too: where that works, the
 * fault says that it is the service's environment, and what to do.
 */
export async function addRepo(call: LocalCall): Promise<number> {
  const { flags, place, table } = call;
  const command = commandNamed(table, 'repo.add');
  const client = call.connect();
  // Paths and environments of another machine say nothing about this one.
  if (place.address.kind !== 'socket') return performJob({ command, params: call.params, flags }, { ...call, client });

  const params = withWholePath(call.params, command);
  const addresses = (await reachedAddresses(params, call.signal)).filter((value) => typeof value === 'string');
  await using shell = shellProbe(addresses, call.signal);
  try {
    return await performJob({ command, params, flags }, { ...call, client, onProgress: shell.notNeeded });
  } catch (error) {
    if (!(error instanceof Fault) || !isFaultOfReach(error) || !(await shell.isReached())) throw error;
    const { differing } = await probeFromService(undefined, { client, table, signal: call.signal });
    throw serviceCannotReach(error, differing);
  }
}

/** Of a clone that is adopted, what its remote is fetched from and pushed to; the service chooses and refuses. */
async function reachedAddresses(params: Params, signal: AbortSignal): Promise<unknown[]> {
  const { upstream, pushUrl, remote, asUpstream } = params;
  if (typeof upstream !== 'string' || !isAbsolute(upstream) || asUpstream === true) return [upstream, pushUrl];
  const clone = await readClone('/', upstream, { signal });
  const wanted = typeof remote === 'string' ? remote : 'origin';
  const named = clone?.remotes.has(wanted) ? wanted : [...(clone?.remotes.keys() ?? [])][0];
  if (clone === null || named === undefined) return [upstream, pushUrl];
  const { addresses } = pushPlaceOf(clone, named);
  return [clone.remotes.get(named), pushUrl ?? addresses[0]];
}

interface ShellProbe extends AsyncDisposable {
  /** The service has reached the upstream: what has not begun does not begin. */
  notNeeded(): void;
  /** True if this shell reaches all addresses; begins at once if it has not begun. */
  isReached(): Promise<boolean>;
}

/** Tries the addresses from this shell after a while, so that the two waits are not one after the other. */
function shellProbe(addresses: readonly string[], signal: AbortSignal): ShellProbe {
  const over = new AbortController();
  let begun: Promise<boolean> | undefined;
  const begin = (): Promise<boolean> => {
    begun ??= reachesAll(addresses, AbortSignal.any([signal, over.signal]));
    // Whoever asks is told of a failure; of a probe that nobody asks, nobody needs to hear.
    begun.catch(() => undefined);
    return begun;
  };
  const timer = setTimeout(() => void begin(), PROBE_AFTER_MS);
  return {
    notNeeded: () => clearTimeout(timer),
    isReached: begin,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      over.abort();
      await begun?.catch(() => undefined);
    },
  };
}

async function reachesAll(addresses: readonly string[], signal: AbortSignal): Promise<boolean> {
  const faults = await Promise.all(addresses.map((address) => probeFromShell(address, signal)));
  return faults.every((fault) => fault === null);
}
