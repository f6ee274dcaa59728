import type { Client } from '../client/client.ts';
import { Fault, type FaultCode, faultFromReport, type FaultReport } from '../contract/faults.ts';
import type { upstreamProbe } from '../contract/operations/upstream.ts';
import type { ReplyOf } from '../contract/operation.ts';
import { gitEnvironment } from '../git/git.ts';
import { differingVariables } from '../git/reach-environment.ts';
import { askUpstream } from '../git/upstream.ts';
import { type CommandTable, commandNamed } from '../grammar/command-table.ts';
import { upstreamAddress } from '../service/operations/repo/upstream-address.ts';

/** No repository of anybody's: git is to find nothing there. */
const NEUTRAL_FOLDER = '/';

/** What another environment, another login or another home could make go well. */
const faultsOfReach: readonly FaultCode[] = [
  'UPSTREAM_DENIED',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_MISSING',
  'HOST_KEY_UNKNOWN',
  'HOST_KEY_CHANGED',
  'PROXY_REFUSED',
];

export const isFaultOfReach = ({ code }: Fault): boolean => faultsOfReach.includes(code);

/**
 * Lists an upstream, whose address is as a person wrote it, with the environment of this shell and without asking
 * anybody anything. Null if that works, else why it does not; in less than ten seconds.
 */
export async function probeFromShell(upstream: string, signal: AbortSignal): Promise<Fault | null> {
  const { env } = gitEnvironment(process.env, { interactive: false, hasAskpass: true });
  try {
    await askUpstream(NEUTRAL_FOLDER, upstreamAddress(upstream), { signal, env });
    return null;
  } catch (error) {
    if (error instanceof Fault && !signal.aborted) return error;
    throw error;
  }
}

/**
 * What the service says of itself: why it does not reach the upstream, null if it does, and the variables that it has
 * otherwise than this shell. Without an address it tries nothing.
 */
export async function probeFromService(
  upstream: string | undefined,
  { client, table, signal }: { client: Client; table: CommandTable; signal: AbortSignal },
): Promise<{ fault: Fault | null; differing: string[] }> {
  const reply = (await client.call(commandNamed(table, 'upstream.probe'), upstream === undefined ? {} : { upstream }, {
    signal,
  })) as ReplyOf<typeof upstreamProbe>;
  const { fault, ...hashed } = reply;
  return {
    fault: fault === null ? null : faultFromReport(fault as FaultReport),
    differing: differingVariables(process.env, hashed),
  };
}

/** The fault of a service that does not reach what this shell does: why, what the two have otherwise, and the way out. */
export function serviceCannotReach(why: Fault, differing: readonly string[]): Fault {
  return new Fault('SERVICE_CANNOT_REACH', `This shell reaches it, and the service does not: ${why.message}`, {
    hint: wayOut(differing),
    cause: why,
    ...(why.detail === undefined ? {} : { detail: why.detail }),
  });
}

function wayOut(differing: readonly string[]): string {
  if (differing.length === 0)
    return 'No variable that git and ssh look at differs, so it may have been for a moment: repeat it, and if that does not help, `takt service restart`.';
  return `They differ in ${differing.join(', ')}. \`takt service restart\` from this shell gives the service what this shell has; a service that runs as a unit gets it from \`environment:\` in config/settings.yaml.`;
}
