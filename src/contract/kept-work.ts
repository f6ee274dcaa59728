import { z } from 'zod';
import { CommitId, RepoName } from './ids.ts';

/** Where work is that was nowhere else but in what was deleted. */
export const KeptWork = z.object({
  pins: z.array(z.object({ repo: RepoName, ref: z.string(), commit: CommitId })),
  /** What no commit of a root repo can hold: where it was, below the workspace's folder, and where it is now. */
  aside: z.array(z.object({ from: z.string(), to: z.string() })),
});
export type KeptWork = z.infer<typeof KeptWork>;
