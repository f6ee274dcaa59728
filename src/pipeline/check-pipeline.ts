import { Fault } from '../contract/faults.ts';
import { StepName } from '../contract/ids.ts';
import type { Pipeline, Step } from '../contract/pipeline.ts';
import { checkModel, checkRole, checkScript, type KnownWords } from './known-words.ts';

/** The name of the step that takt puts before all others. */
export const SETUP_STEP = StepName.parse('setup');

/** Refuses a pipeline that could not be carried out; the fault PIPELINE_INVALID names the step. */
export function checkPipeline(pipeline: Pipeline, known: KnownWords): void {
  if (pipeline.steps.length === 0) throw new Fault('PIPELINE_INVALID', 'A pipeline has at least one step.');
  const names = new Set<string>();
  for (const step of pipeline.steps) {
    if (step.name === SETUP_STEP) {
      throw new Fault('PIPELINE_INVALID', `No step may be named ${SETUP_STEP}: takt has one of its own.`);
    }
    if (names.has(step.name)) throw new Fault('PIPELINE_INVALID', `Two steps are named ${step.name}.`);
    names.add(step.name);
    checkStep(step, known);
  }
}

function checkStep(step: Step, known: KnownWords): void {
  switch (step.kind) {
    case 'agent':
      checkRole(step.role, known);
      if (step.model !== undefined) checkModel(step.model, known);
      return;
    case 'script':
      checkScript(step.script, known);
      refuseChanges(step);
      return;
    case 'approve':
      refuseChanges(step);
      return;
    case 'command':
      return;
  }
}

function refuseChanges(step: Step): void {
  if (step.changes === true) {
    throw new Fault(
      'PIPELINE_INVALID',
      `The step ${step.name} cannot have changes: true; that is for agents and commands.`,
    );
  }
}
