import type { Operation } from './operation.ts';
import * as guidance from './operations/guidance.ts';
import * as local from './operations/local.ts';
import * as pipeline from './operations/pipeline.ts';
import * as pr from './operations/pr.ts';
import * as push from './operations/push.ts';
import * as repo from './operations/repo.ts';
import * as run from './operations/run.ts';
import * as service from './operations/service.ts';
import * as serviceUnit from './operations/service-unit.ts';
import * as upstream from './operations/upstream.ts';
import * as watch from './operations/watch.ts';
import * as workspace from './operations/workspace.ts';

/** Every operation, in the order in which the help shows them. */
export const operations: readonly Operation[] = [
  local,
  repo,
  workspace,
  pipeline,
  run,
  push,
  pr,
  upstream,
  watch,
  guidance,
  service,
  serviceUnit,
]
  .flatMap((noun) => Object.values(noun))
  .filter(
    (declared): declared is Operation => typeof declared === 'object' && declared !== null && 'command' in declared,
  );
