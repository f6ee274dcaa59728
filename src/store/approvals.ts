import { z } from 'zod';
import { CommitId } from '../contract/ids.ts';
import type { Database } from './database.ts';

const ApprovalRow = z
  .object({
    step: z.string(),
    decision: z.enum(['approved', 'rejected']),
    note: z.string().nullable(),
    commits: z.string(),
    decided_at_ms: z.number(),
  })
  .transform((row) => ({
    step: row.step,
    decision: row.decision,
    note: row.note,
    commits: z.record(z.string(), CommitId).parse(JSON.parse(row.commits)),
    decidedAtMs: row.decided_at_ms,
  }));

/** What a person decided about a run, and for which commits, by repo. */
export type Approval = z.infer<typeof ApprovalRow>;

export function insertApproval(database: Database, run: string, approval: Approval): void {
  database
    .prepare('INSERT INTO approvals (run, step, decision, note, commits, decided_at_ms) VALUES (?, ?, ?, ?, ?, ?)')
    .run(run, approval.step, approval.decision, approval.note, JSON.stringify(approval.commits), approval.decidedAtMs);
}

/** The decisions about a run, oldest first. */
export function approvalsOf(database: Database, run: string): Approval[] {
  return database
    .prepare('SELECT step, decision, note, commits, decided_at_ms FROM approvals WHERE run = ? ORDER BY rowid')
    .all(run)
    .map((row) => ApprovalRow.parse(row));
}
