import { stringify } from 'yaml';
import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { StepName } from '../contract/ids.ts';
import { AgentStep, ApproveStep, CommandStep, type Pipeline, ScriptStep, type Step } from '../contract/pipeline.ts';
import { parseYaml, readYaml, type YamlText } from './yaml-text.ts';

const inYaml = {
  kind: z.enum(['agent', 'command', 'script', 'approve']).optional(),
  name: StepName.optional(),
  timeout_s: AgentStep.shape.timeoutS,
  retries: AgentStep.shape.retries,
  changes: AgentStep.shape.changes,
  confinement: AgentStep.shape.confinement,
};

const stepForms = {
  agent: z.strictObject({
    ...inYaml,
    role: AgentStep.shape.role,
    model: AgentStep.shape.model,
    prompt: AgentStep.shape.prompt,
    max_turns: AgentStep.shape.maxTurns,
  }),
  command: z.strictObject({ ...inYaml, run: CommandStep.shape.run }),
  script: z.strictObject({ ...inYaml, script: ScriptStep.shape.script }),
  approve: z.strictObject({ ...inYaml, approve: z.literal(true).optional(), prompt: ApproveStep.shape.prompt }),
} as const;

/** The key that says by itself of what kind a step is. */
const telling = { role: 'agent', run: 'command', script: 'script', approve: 'approve' } as const;

const PipelineFile = z.strictObject({ steps: z.array(z.record(z.string(), z.unknown())).max(50).nullable() });

/**
 * The pipeline that a YAML text describes: `steps:`, each with `role`, `run`, `script` or `approve: true`, keys in
 * snake_case. A step without a name gets one. Fault PIPELINE_INVALID with line and column for what does not fit; `file`
 * is how it names the text.
 */
export function readPipelineYaml(text: string, file = 'pipeline.yaml'): Pipeline {
  const yaml = readYaml(text, file, 'PIPELINE_INVALID');
  const steps = parseYaml(yaml, PipelineFile, 'PIPELINE_INVALID').steps ?? [];
  const kinds = steps.map((step, index) => kindOf(yaml, step, index));
  // Each step is read by the schema of its kind alone, so that a message never speaks of the other kinds.
  const whole = z.strictObject({ steps: z.tuple(kinds.map((kind) => stepForms[kind]) as unknown as [z.ZodType]) });
  const written =
    steps.length === 0 ? [] : (parseYaml(yaml, whole, 'PIPELINE_INVALID').steps as unknown as StepInYaml[]);
  return { steps: nameSteps(yaml, written, kinds) };
}

type Kind = keyof typeof stepForms;
type StepInYaml = z.infer<(typeof stepForms)[Kind]>;

function kindOf(yaml: YamlText, step: Record<string, unknown>, index: number): Kind {
  const stated = step['kind'];
  if (stated !== undefined) {
    if (typeof stated === 'string' && Object.hasOwn(stepForms, stated)) return stated as Kind;
    throw new Fault(
      'PIPELINE_INVALID',
      `${yaml.placeOf(['steps', index, 'kind'])}: no kind of step is called ${JSON.stringify(stated)}.`,
      {
        hint: `There are ${Object.keys(stepForms).join(', ')}.`,
      },
    );
  }
  const found = Object.entries(telling).filter(([key]) => Object.hasOwn(step, key));
  if (found.length === 1) return found[0]![1];
  const what =
    found.length === 0
      ? 'says neither role, run, script nor approve'
      : `says ${found.map(([key]) => key).join(' and ')}`;
  throw new Fault('PIPELINE_INVALID', `${yaml.placeOf(['steps', index])}: the step ${what}.`, {
    hint: 'A step has exactly one of role, run, script, and approve: true.',
  });
}

function nameSteps(yaml: YamlText, written: readonly StepInYaml[], kinds: readonly Kind[]): Step[] {
  const taken = new Set<string>();
  for (const [index, { name }] of written.entries()) {
    if (name === undefined) continue;
    if (taken.has(name)) {
      throw new Fault('PIPELINE_INVALID', `${yaml.placeOf(['steps', index, 'name'])}: two steps are called ${name}.`, {
        hint: 'Give each step a name of its own.',
      });
    }
    taken.add(name);
  }
  return written.map((step, index) => {
    // takt puts a step of the name `setup` before all others.
    const name = step.name ?? freeName(defaultName(step), new Set([...taken, 'setup']));
    taken.add(name);
    return stepOf(step, kinds[index]!, name);
  });
}

function stepOf(step: StepInYaml, kind: Kind, name: string): Step {
  const {
    timeout_s: timeoutS,
    max_turns: maxTurns,
    approve: _,
    ...rest
  } = { max_turns: undefined, approve: undefined, ...step };
  const seconds = timeoutS === undefined ? {} : { timeoutS };
  const turns = maxTurns === undefined ? {} : { maxTurns };
  const candidate = { ...rest, ...seconds, ...turns, kind, name };
  switch (kind) {
    case 'agent':
      return AgentStep.parse(candidate);
    case 'command':
      return CommandStep.parse(candidate);
    case 'script':
      return ScriptStep.parse(candidate);
    case 'approve':
      return ApproveStep.parse(candidate);
  }
}

function defaultName(step: StepInYaml): string {
  if ('role' in step) return step.role;
  if ('script' in step) return step.script;
  if ('run' in step) return step.run.trim().split(/\s/)[0]!;
  return 'approve';
}

/** The word as a step name, with a number if it is taken. */
function freeName(word: string, taken: ReadonlySet<string>): string {
  const letters = word.slice(word.lastIndexOf('/') + 1).toLowerCase();
  const name =
    letters
      .replace(/[^a-z0-9_-]+/g, '-')
      .replace(/^[-_]+|-+$/g, '')
      .slice(0, 56) || 'step';
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) {
    if (!taken.has(`${name}-${number}`)) return `${name}-${number}`;
  }
}

/** The YAML text of a pipeline; `readPipelineYaml` gives the same pipeline back. */
export function writePipelineYaml(pipeline: Pipeline): string {
  return stringify({ steps: pipeline.steps.map(inYamlForm) }, { lineWidth: 120 });
}

function inYamlForm(step: Step): Record<string, unknown> {
  const { kind, name, timeoutS, ...rest } = step;
  const { maxTurns, ...others } = { maxTurns: undefined, ...rest };
  return {
    name,
    ...(kind === 'approve' ? { approve: true } : {}),
    ...others,
    ...(timeoutS === undefined ? {} : { timeout_s: timeoutS }),
    ...(maxTurns === undefined ? {} : { max_turns: maxTurns }),
  };
}
