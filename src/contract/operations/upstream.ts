import { z } from 'zod';
import { defineOperation } from '../operation.ts';

/** Has no command: `takt repo add` and `takt doctor` compare with it what the service reaches and what the shell does. */
export const upstreamProbe = defineOperation({
  name: 'upstream.probe',
  summary: 'Says whether the service reaches an upstream, and with what environment it tries.',
  details:
    'Values of variables are never sent: each is hashed with a salt of this reply, so that a caller who has the same value can tell. Without `upstream` nothing is asked, and `fault` is null.',
  examples: [],
  http: { method: 'POST', path: '/api/probes' },
  command: { words: [], positionals: [] },
  params: z.strictObject({
    upstream: z.string().min(1).max(2000).optional().describe('address to list; none if left out'),
  }),
  reply: z.object({
    /** Why it does not reach it; null if it does. */
    fault: z
      .object({ code: z.string(), message: z.string(), hint: z.string(), detail: z.string().optional() })
      .nullable(),
    /** Hexadecimal; stands before each value when it is hashed. */
    salt: z.string(),
    /** By the name of a variable that git, ssh or gh look at: SHA-256 of salt and value, hexadecimal. */
    environment: z.record(z.string(), z.string()),
  }),
});
