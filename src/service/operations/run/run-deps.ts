import type { z } from 'zod';
import type { RunId } from '../../../contract/ids.ts';
import type { runCancel } from '../../../contract/operations/run.ts';
import type { HomeLayout } from '../../../platform/home-layout.ts';
import type { Database } from '../../../store/database.ts';
import { runOf } from '../../../store/runs.ts';
import type { RunDesk } from '../../runs/run-desk.ts';

/** What the operations on runs are made of; each takes what it uses. */
export interface RunDeps {
  readonly database: Database;
  readonly layout: HomeLayout;
  readonly desk: RunDesk;
}

export type Afterwards = z.infer<typeof runCancel.reply>;

/** Where a run stands after something was done to it. */
export function afterwards({ database }: Pick<RunDeps, 'database'>, id: RunId): Afterwards {
  const { state, number, workspace } = runOf(database, id);
  return { run: id, state, number, workspace };
}
