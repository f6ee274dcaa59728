import { z } from 'zod';
import { TimestampMs } from './ids.ts';

/** What can happen; the first word is the noun, so `run.*` takes all of a kind. */
export const EventTopic = z.enum([
  'run.update',
  'step.update',
  'branch.update',
  'repo.update',
  'workspace.update',
  'config.update',
  'landing.update',
  'push.update',
  'pr.update',
  'job.update',
  'service.update',
]);
export type EventTopic = z.infer<typeof EventTopic>;

/** One entry of the append-only log; `data` is the topic's own, small and flat. */
export const TaktEvent = z.object({
  /** `<epoch>-<n>`; grows, and is what `Last-Event-ID` and `after` take. */
  id: z.string().regex(/^[0-9a-f]+-\d+$/),
  topic: EventTopic,
  atMs: TimestampMs,
  workspace: z.string().nullable(),
  run: z.string().nullable(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type TaktEvent = z.infer<typeof TaktEvent>;

/** A frame without id: the output of an attempt has grown to `size` bytes. Never stored. */
export const OutputGrew = z.object({
  topic: z.literal('step.output'),
  attempt: z.string(),
  run: z.string(),
  workspace: z.string(),
  step: z.string(),
  size: z.number(),
});
export type OutputGrew = z.infer<typeof OutputGrew>;

/** True if a topic is meant by a list such as `run.*,step.update`; an empty list means all. */
export function matchesTopics(topic: string, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  return wanted.some(
    (pattern) =>
      pattern === '*' || pattern === topic || (pattern.endsWith('.*') && topic.startsWith(pattern.slice(0, -1))),
  );
}
