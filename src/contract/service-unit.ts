import { z } from 'zod';

/** Of a variable of the shell that the unit does not get: which one, why not, and where it belongs. */
const LeftVariable = z.object({ name: z.string(), why: z.string(), advice: z.string() });
export type LeftVariable = z.infer<typeof LeftVariable>;

/** Whether a user's services outlive the last session; `unknown` where no logind answers. */
export const Linger = z.enum(['on', 'off', 'unknown']);
export type Linger = z.infer<typeof Linger>;

/** What `takt service install` did. */
export const InstalledUnit = z.object({
  /** Its file name, as systemctl takes it. */
  unit: z.string(),
  path: z.string(),
  home: z.string(),
  file: z.enum(['written', 'replaced', 'unchanged']),
  /** `running`: it ran by this very unit and goes on. `left`: with --no-start nothing was started. */
  service: z.enum(['started', 'restarted', 'running', 'left']),
  /** True if it starts with your first session. */
  isEnabled: z.boolean(),
  /** True if it runs by the unit now. */
  isActive: z.boolean(),
  /** True if what runs was started by an earlier text of the unit, so that a restart is needed. */
  isStale: z.boolean(),
  /** The service that ran outside the unit and was stopped for it; null if none did. */
  stoppedPid: z.number().int().nullable(),
  linger: Linger,
  /** Variables of the shell that the unit got. */
  environment: z.record(z.string(), z.string()),
  left: z.array(LeftVariable),
});
export type InstalledUnit = z.infer<typeof InstalledUnit>;

/** What `takt service uninstall` did; without a unit of this home nothing, and `unit` is null. */
export const RemovedUnit = z.object({
  unit: z.string().nullable(),
  path: z.string().nullable(),
  isStopped: z.boolean(),
  /** Sentences about what is still there. */
  left: z.array(z.string()),
});
export type RemovedUnit = z.infer<typeof RemovedUnit>;
