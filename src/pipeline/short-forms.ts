import { Fault } from '../contract/faults.ts';
import { StepName } from '../contract/ids.ts';
import { ModelName, Pipeline, ScriptName, Step } from '../contract/pipeline.ts';
import { checkPipeline } from './check-pipeline.ts';
import { checkModel, type KnownWords, unknownWord } from './known-words.ts';

const NAME_CHARS = 32;
const COMMAND_WORDS = 3;

/**
 * Reads steps as they are typed: `review`, `review@opus`, `push_to_github`, `run:npm test`, `approve`.
 * Steps are named after what they do, a second one of a name with a number. Faults: PIPELINE_INVALID.
 */
export function parseShortForms(words: readonly string[], known: KnownWords): Pipeline {
  const taken = new Set<string>(['setup']);
  const steps = words.map((word) => {
    const { name, ...step } = stepOf(word, known);
    return Step.parse({ ...step, name: freeName(name, taken) });
  });
  const pipeline = Pipeline.safeParse({ steps });
  if (!pipeline.success) throw new Fault('PIPELINE_INVALID', 'A pipeline has at most 50 steps.');
  checkPipeline(pipeline.data, known);
  return pipeline.data;
}

function stepOf(word: string, known: KnownWords): { name: string } & Record<string, unknown> {
  if (word === 'approve') return { name: 'approve', kind: 'approve' };
  const script = ScriptName.safeParse(word);
  if (script.success) return { name: word, kind: 'script', script: script.data };
  if (word.startsWith('run:')) return commandStep(word.slice('run:'.length).trim());
  return agentStep(word, known);
}

function commandStep(run: string): { name: string } & Record<string, unknown> {
  if (run === '') {
    throw new Fault('PIPELINE_INVALID', 'The step run: names no command.', { hint: 'Write it as run:"npm test".' });
  }
  return { name: nameFrom(tellingWords(run)) ?? nameFrom(run) ?? 'command', kind: 'command', run };
}

function agentStep(word: string, known: KnownWords): { name: string } & Record<string, unknown> {
  const at = word.indexOf('@');
  const role = at === -1 ? word : word.slice(0, at);
  if (role === '')
    throw new Fault(
      'PIPELINE_INVALID',
      word === '' ? 'A step is empty.' : `The step ${word} names no role before the @.`,
    );
  if (!known.roles.includes(role)) {
    const sayable = [...known.roles, ...known.scripts, 'approve'];
    throw new Fault('PIPELINE_INVALID', unknownWord('role or script', role, sayable), {
      hint: 'A step is a role, role@model, a script, approve, or run:"COMMAND"; `takt role list` shows the roles.',
    });
  }
  const step = { name: nameFrom(role) ?? 'agent', kind: 'agent', role };
  if (at === -1) return step;
  const model = word.slice(at + 1);
  if (!ModelName.safeParse(model).success) {
    throw new Fault('PIPELINE_INVALID', `The step ${word} names no model after the @.`);
  }
  checkModel(model, known);
  return { ...step, model };
}

/** What tells one command from another: its first plain words, without the folder that it changes to before. */
function tellingWords(run: string): string {
  const first = run.replace(/^cd \S+ && /, '').split(/[;&|<>()\n]/, 1)[0] ?? '';
  const words = first
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '!');
  const end = words.findIndex((word) => !/^[\w:-]+$/.test(word));
  return words.slice(0, end === -1 ? COMMAND_WORDS : Math.min(end, COMMAND_WORDS)).join('-');
}

/** Small letters, digits and dashes of a text; undefined if it has none. */
function nameFrom(text: string): string | undefined {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '-')
    .replaceAll(/^[-_]+/g, '')
    .slice(0, NAME_CHARS)
    .replaceAll(/[-_]+$/g, '');
  return StepName.safeParse(plain).success ? plain : undefined;
}

function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
  taken.add(free);
  return free;
}
