import { z } from 'zod';

export const Finding = z.strictObject({
  severity: z.enum(['info', 'warning', 'error']),
  message: z.string().max(4000),
  repo: z.string().max(64).optional(),
  /** Path within the repo. */
  file: z.string().max(1000).optional(),
  line: z.number().int().positive().optional(),
});
export type Finding = z.infer<typeof Finding>;

/** What a step says about itself. Agents answer with it; command steps may write it to `$TAKT_STAGE_RESULT`. */
export const StageResult = z.strictObject({
  verdict: z.enum(['passed', 'failed']),
  /** One to a few sentences for the person and for the next steps. */
  summary: z.string().min(1).max(8000),
  findings: z.array(Finding).max(200).default([]),
});
export type StageResult = z.infer<typeof StageResult>;
