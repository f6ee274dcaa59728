import { z } from 'zod';
import { TimestampMs } from './ids.ts';

export const ServiceStatus = z.object({
  version: z.string(),
  home: z.string(),
  homeId: z.string(),
  pid: z.number().int(),
  port: z.number().int(),
  startedAtMs: TimestampMs,
  /** The systemd unit that runs it; null if it runs without one. */
  unit: z.string().nullable(),
  stepsRunning: z.number().int(),
  stepsAtOnce: z.number().int(),
  runsQueued: z.number().int(),
  confinement: z.object({ works: z.boolean(), why: z.string(), network: z.enum(['open', 'allow-list']) }),
  /** How the service itself reaches the model, in words without secrets; a shell's environment may hold another key. */
  modelAccess: z.object({ works: z.boolean(), what: z.string() }),
  /** Where it finds the programs that it starts, with its own PATH; null for one that it does not find. */
  programs: z.object({
    git: z.string().nullable(),
    gh: z.string().nullable(),
    bwrap: z.string().nullable(),
    claude: z.string().nullable(),
  }),
  memoryBytes: z.number().int(),
});
export type ServiceStatus = z.infer<typeof ServiceStatus>;

/** The header in which every reply carries the id of the home. */
export const HOME_HEADER = 'takt-home';

/** A job as the lists show it. */
export const Job = z.object({
  id: z.string(),
  operation: z.string(),
  title: z.string(),
  startedAtMs: TimestampMs,
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  progress: z.array(z.object({ label: z.string(), text: z.string() })),
});
export type Job = z.infer<typeof Job>;

/** A line of a job's NDJSON body: any number of the first, then one of the others. */
export const JobLine = z.union([
  z.object({ progress: z.object({ label: z.string(), text: z.string(), percent: z.number().nullable() }) }),
  z.object({ reply: z.unknown() }),
  z.object({
    fault: z.object({ code: z.string(), message: z.string(), hint: z.string(), detail: z.string().optional() }),
  }),
]);
export type JobLine = z.infer<typeof JobLine>;
