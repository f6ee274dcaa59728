import { z } from 'zod';
import { TimestampMs } from './ids.ts';

/**
 * One line of `output.ndjson`. `text` of stdout and stderr may hold many lines and ends where
 * the writer's chunk ended; a reader joins chunks of one kind before it splits lines.
 */
export const OutputLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stdout'), atMs: TimestampMs, text: z.string() }),
  z.object({ kind: z.literal('stderr'), atMs: TimestampMs, text: z.string() }),
  /** takt's own word about the attempt. */
  z.object({ kind: z.literal('note'), atMs: TimestampMs, text: z.string() }),
  z.object({ kind: z.literal('text'), atMs: TimestampMs, text: z.string() }),
  z.object({ kind: z.literal('thinking'), atMs: TimestampMs, text: z.string() }),
  z.object({ kind: z.literal('tool_call'), atMs: TimestampMs, id: z.string(), tool: z.string(), input: z.unknown() }),
  z.object({
    kind: z.literal('tool_result'),
    atMs: TimestampMs,
    id: z.string(),
    isError: z.boolean(),
    text: z.string(),
  }),
]);
export type OutputLine = z.infer<typeof OutputLine>;
