import { parseRoles } from '../../../agents/roles.ts';
import { NO_FILE } from '../../../config/edit-file.ts';
import { readPipelineYaml, writePipelineYaml } from '../../../config/pipeline-yaml.ts';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { pipelineSet, pipelineShow } from '../../../contract/operations/pipeline.ts';
import type { Pipeline } from '../../../contract/pipeline.ts';
import { checkPipeline } from '../../../pipeline/check-pipeline.ts';
import { type KnownWords, modelAliases } from '../../../pipeline/known-words.ts';
import { parseShortForms } from '../../../pipeline/short-forms.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { pipelineOf, setPipeline as storePipeline, workspaceOf } from '../../../store/workspaces.ts';
import { pictureOf, refreshWorkspaceGuidance } from '../../guidance/workspace-guidance.ts';
import type { Call } from '../../http/binding.ts';
import { commit, type ServiceParts } from '../../parts.ts';

type PipelineParts = Pick<ServiceParts, 'bus' | 'config' | 'database' | 'layout' | 'locks'>;

/** The scripts that this version carries out. */
const SCRIPTS = ['push_to_github', 'create_pr', 'merge_upstream'];

export function showPipeline(
  { database }: Pick<PipelineParts, 'database'>,
  { workspace }: ParamsOf<typeof pipelineShow>,
): ReplyOf<typeof pipelineShow> {
  const { name, pipeline } = workspaceOf(database, workspace);
  if (pipeline === null) throw new Fault('PIPELINE_MISSING', `The workspace ${name} has no pipeline.`);
  return replyOf(name, pipeline);
}

/** Checks a pipeline whole, then sets it; runs that are there keep the one that they began with. */
export async function setPipeline(
  parts: PipelineParts,
  params: ParamsOf<typeof pipelineSet>,
  { signal }: Call,
): Promise<ReplyOf<typeof pipelineSet>> {
  const { database } = parts;
  return parts.locks.hold({ exclusive: [`pipeline:${params.workspace}`] }, signal, async () => {
    const { name } = workspaceOf(database, params.workspace);
    const before = pictureOf(parts, name);
    const pipeline = readPipeline(params, knownWords(parts));
    const current = pipelineOf(database, name);
    const hash = current === null ? NO_FILE : hashOf(current);
    if (params.hash !== undefined && params.hash !== hash) {
      throw new Fault('FILE_CHANGED', `The pipeline of ${name} is not what it was when you read it.`, {
        detail: `Its hash is ${hash} now.`,
        hint: '`takt workspace pipeline-show` shows what it says now.',
      });
    }
    commit(parts, [{ topic: 'workspace.update', workspace: name, data: { change: 'pipeline' } }], () =>
      storePipeline(database, name, pipeline),
    );
    await refreshWorkspaceGuidance(parts, before);
    return replyOf(name, pipeline);
  });
}

function readPipeline({ steps, yaml, file }: ParamsOf<typeof pipelineSet>, known: KnownWords): Pipeline {
  if (yaml === undefined) {
    if (steps.length === 0)
      throw new Fault('INPUT_INVALID', 'No step is given.', { hint: 'Name steps, or give --file with the full form.' });
    return parseShortForms(steps, known);
  }
  if (steps.length > 0)
    throw new Fault('INPUT_INVALID', 'Steps are given twice: by name and in full.', {
      hint: 'Give either steps or --file.',
    });
  const pipeline = readPipelineYaml(yaml, file === '-' ? 'standard input' : file);
  checkPipeline(pipeline, known);
  return pipeline;
}

function knownWords({ config }: Pick<PipelineParts, 'config'>): KnownWords {
  return { roles: parseRoles(config.rolesText()).map(({ name }) => name), models: modelAliases, scripts: SCRIPTS };
}

const hashOf = (pipeline: Pipeline): string => sha256(writePipelineYaml(pipeline));

function replyOf(
  workspace: ReplyOf<typeof pipelineShow>['workspace'],
  pipeline: Pipeline,
): ReplyOf<typeof pipelineShow> {
  return { workspace, pipeline, yaml: writePipelineYaml(pipeline), hash: hashOf(pipeline) };
}
