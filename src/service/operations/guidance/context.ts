import { didYouMean } from '../../../config/did-you-mean.ts';
import { readFileText } from '../../../config/edit-file.ts';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { contextList, contextShow, TextFile } from '../../../contract/operations/guidance.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import { contextPackets, packetsFor } from '../../guidance/context-packets.ts';
import type { ServiceParts } from '../../parts.ts';

type ContextParts = Pick<ServiceParts, 'config' | 'layout' | 'database'>;

export function listContext(
  parts: ContextParts,
  { workspace }: ParamsOf<typeof contextList>,
): ReplyOf<typeof contextList> {
  const repos =
    workspace === undefined ? undefined : workspaceOf(parts.database, workspace).repos.map(({ name }) => name);
  const packets = contextPackets(parts);
  return { packets: repos === undefined ? packets : packetsFor(packets, repos) };
}

export async function showContext(parts: ContextParts, { packet }: ParamsOf<typeof contextShow>): Promise<TextFile> {
  const packets = contextPackets(parts);
  // Only what the list shows can be read: a name is never made into a path.
  const found = packets.find(({ name }) => name === packet.replace(/\.md$/, ''));
  if (found === undefined)
    throw new Fault(
      'CONTEXT_NOT_FOUND',
      `No context packet is called ${packet}.${didYouMean(
        packet,
        packets.map(({ name }) => name),
      )}`,
    );
  return { name: found.name, path: found.path, ...(await readFileText(found.path)) };
}
