import { Fault, type FaultReport } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { upstreamProbe } from '../../../contract/operations/upstream.ts';
import { hashedEnvironment } from '../../../git/reach-environment.ts';
import { askUpstream } from '../../../git/upstream.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';
import { upstreamAddress } from '../repo/upstream-address.ts';

/** Lists an upstream as this service would fetch it; nothing of it is kept. */
export async function probeUpstream(
  { layout }: Pick<ServiceParts, 'layout'>,
  { upstream }: ParamsOf<typeof upstreamProbe>,
  { signal }: Call,
): Promise<ReplyOf<typeof upstreamProbe>> {
  const fault = upstream === undefined ? null : await faultOfReach(layout.roots, upstreamAddress(upstream), signal);
  const { salt, environment } = hashedEnvironment(process.env);
  return { fault, salt, environment: { ...environment } };
}

async function faultOfReach(folder: string, upstream: string, signal: AbortSignal): Promise<FaultReport | null> {
  try {
    await askUpstream(folder, upstream, { signal });
    return null;
  } catch (error) {
    if (error instanceof Fault && !signal.aborted) return error.report();
    throw error;
  }
}
