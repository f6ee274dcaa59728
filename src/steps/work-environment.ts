import { join } from 'node:path';
import type { AttemptRequest } from '../contract/attempt.ts';
import { COMMITTER } from '../git/person.ts';
import { stageResultPath } from './run-folder.ts';

/**
 * What commands are told by their environment, on top of what the walls give (PATH, HOME, TMPDIR, …):
 * TAKT_WORKSPACE, TAKT_RUN (its number), TAKT_STEP, TAKT_ATTEMPT (its id), TAKT_STAGE_RESULT (a file to write), TAKT_REPOS
 * (names with blanks between), TAKT_PORT_BASE if the run has ports of its own, and whose commits git is to make.
 */
export function workEnvironment(request: AttemptRequest): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: request.author.name,
    GIT_AUTHOR_EMAIL: request.author.email,
    GIT_COMMITTER_NAME: COMMITTER.name,
    GIT_COMMITTER_EMAIL: COMMITTER.email,
    ...request.environment,
    TAKT_WORKSPACE: request.workspace,
    TAKT_RUN: String(request.runNumber),
    TAKT_STEP: request.step,
    TAKT_ATTEMPT: request.attempt,
    TAKT_STAGE_RESULT: join(request.runFolder, stageResultPath(request.step, request.number)),
    TAKT_REPOS: request.repos.map(({ name }) => name).join(' '),
  };
}
