import { z } from 'zod';
import { ConfinementMode, ModelName } from './pipeline.ts';

/** `config/settings.yaml`; every setting has a default, so the file may be empty. */
export const Settings = z.strictObject({
  /** Author of commits that takt makes; git's own user by default. */
  author: z.strictObject({ name: z.string().min(1), email: z.string().min(3) }).optional(),
  model: z
    .strictObject({
      /** For agent steps that name none. */
      default: ModelName.default('sonnet'),
      base_url: z.string().url().optional(),
      /** File that holds the API key, mode 0600. */
      key_file: z.string().optional(),
    })
    .prefault({}),
  /** A new push to a workspace whose run is going: end that run, or let it finish. */
  on_new_push: z.enum(['stop', 'finish']).default('stop'),
  confinement: ConfinementMode.default('auto'),
  /** Folders with tools that work may read and run. */
  toolchains: z.array(z.string().startsWith('/')).default([]),
  /** Steps at once; by default the least of cores, free memory in GiB, and 4. */
  steps_at_once: z.number().int().min(1).max(64).optional(),
  fetch_interval_s: z.number().int().min(0).max(86_400).default(300),
  step_timeout_s: z.number().int().min(1).max(86_400).default(3600),
  silence_timeout_s: z.number().int().min(1).max(86_400).default(900),
  output_limit_mb: z.number().int().min(1).max(1024).default(64),
  max_turns: z.number().int().min(1).max(1000).default(200),
  /** Folders of runs that did not pass are kept so long. */
  keep_failed_days: z.number().int().min(0).max(365).default(7),
  pull_requests: z
    .strictObject({
      /** Pull requests are opened as drafts. */
      draft: z.boolean().default(false),
      /** How often open pull requests are looked at; 0 looks only when told. */
      poll_interval_s: z.number().int().min(0).max(86_400).default(120),
    })
    .prefault({}),
  /** Variables that the service gives itself when it starts, whoever starts it; they win over those that it is given. */
  environment: z.record(z.string(), z.string().max(8000)).default({}),
});
export type Settings = z.infer<typeof Settings>;
