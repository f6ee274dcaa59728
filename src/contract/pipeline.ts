import { z } from 'zod';
import { StepName } from './ids.ts';

/** An alias (`sonnet`, `opus`, `haiku`) or a full model id. */
export const ModelName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@[\]-]*$/);

/** The scripts that are built in. */
export const ScriptName = z.enum(['push_to_github', 'create_pr', 'merge_upstream']);
export type ScriptName = z.infer<typeof ScriptName>;

export const ConfinementMode = z.enum(['auto', 'strict', 'off']);
export type ConfinementMode = z.infer<typeof ConfinementMode>;

const everyStep = {
  name: StepName,
  /** After this many seconds the attempt is ended. */
  timeoutS: z.number().int().min(1).max(86_400).optional(),
  /** Further attempts after a failed one. */
  retries: z.number().int().min(0).max(10).optional(),
  /** True if a passed attempt has to leave a commit; without one it is unverified. */
  changes: z.boolean().optional(),
  confinement: ConfinementMode.optional(),
};

export const AgentStep = z.strictObject({
  kind: z.literal('agent'),
  ...everyStep,
  role: z.string().min(1).max(64),
  model: ModelName.optional(),
  /** Added to the role's prompt. */
  prompt: z.string().max(20_000).optional(),
  maxTurns: z.number().int().min(1).max(1000).optional(),
});
export const CommandStep = z.strictObject({
  kind: z.literal('command'),
  ...everyStep,
  run: z
    .string()
    .min(1)
    .max(20_000)
    .regex(/^[^\0]*$/, 'no command can hold a null byte'),
});
export const ScriptStep = z.strictObject({ kind: z.literal('script'), ...everyStep, script: ScriptName });
export const ApproveStep = z.strictObject({
  kind: z.literal('approve'),
  ...everyStep,
  prompt: z.string().max(20_000).optional(),
});

/** One step of a pipeline, whole. */
export const Step = z.discriminatedUnion('kind', [AgentStep, CommandStep, ScriptStep, ApproveStep]);
export type Step = z.infer<typeof Step>;
export type AgentStep = z.infer<typeof AgentStep>;
export type CommandStep = z.infer<typeof CommandStep>;
export type ScriptStep = z.infer<typeof ScriptStep>;

/** The ordered steps of one workspace; names are unique. */
export const Pipeline = z.strictObject({ steps: z.array(Step).max(50) });
export type Pipeline = z.infer<typeof Pipeline>;
