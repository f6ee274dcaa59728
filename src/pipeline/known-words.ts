import { Fault } from '../contract/faults.ts';
import { nearestWord } from '../contract/nearest-word.ts';

/** What a pipeline may name. */
export interface KnownWords {
  readonly roles: readonly string[];
  /** Aliases; a full model id is taken as it is. */
  readonly models: readonly string[];
  /** Scripts that this version carries out. */
  readonly scripts: readonly string[];
}

/** The aliases of models that Claude Code knows. */
export const modelAliases = ['sonnet', 'opus', 'haiku'] as const;

/** Refuses a role that is not there, naming the one that was likely meant. */
export function checkRole(role: string, known: KnownWords): void {
  if (!known.roles.includes(role)) throw new Fault('PIPELINE_INVALID', unknownWord('role', role, known.roles));
}

/** Refuses an alias that is not there. A full id has digits, dashes or the like and is the model's own matter. */
export function checkModel(model: string, known: KnownWords): void {
  const isFullId = /[\d./:-]/.test(model);
  const alias = model.replace(/\[[^\]]*\]$/, '');
  if (isFullId || known.models.includes(alias)) return;
  throw new Fault('PIPELINE_INVALID', unknownWord('model', model, known.models), {
    hint: `Models are ${known.models.join(', ')}, or a full model id.`,
  });
}

/** Refuses a script that this version does not carry out. */
export function checkScript(script: string, known: KnownWords): void {
  if (known.scripts.includes(script)) return;
  throw new Fault('PIPELINE_INVALID', `This version does not carry out the script ${script}.`, {
    hint: `Scripts are ${known.scripts.join(', ')}; any other tool can be called with run:"…".`,
  });
}

/** `No role reveiw; did you mean review?` */
export function unknownWord(what: string, word: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known);
  return nearest === undefined ? `No ${what} ${word}.` : `No ${what} ${word}; did you mean ${nearest}?`;
}
