import { withoutSecrets } from './secrets.ts';

/**
 * Everything that can go wrong for a user, with what each surface does about it.
 *
 * `docs/reference/faults.md` lists the same codes; a test compares the two.
 * Exit codes: 2 wrong input, 3 waits for a person, 4 not found, 5 state in the way, 6 refused,
 * 7 something outside takt failed, 69 no service, 70 a defect of takt.
 */
export const faults = {
  // Wrong input
  INPUT_INVALID: { httpStatus: 400, exitCode: 2, hint: '`takt help COMMAND` shows what it takes.' },
  COMMAND_UNKNOWN: { httpStatus: 404, exitCode: 2, hint: '`takt help` lists the commands.' },
  CONFIG_INVALID: { httpStatus: 400, exitCode: 2, hint: 'Mend the file at the place named.' },
  PIPELINE_INVALID: {
    httpStatus: 400,
    exitCode: 2,
    hint: '`takt role list` shows the roles; `takt help workspace pipeline-set` the language.',
  },
  NAME_RESERVED: { httpStatus: 400, exitCode: 2, hint: 'Choose another name.' },
  BODY_NOT_JSON: { httpStatus: 415, exitCode: 2, hint: 'Send a JSON object with content-type application/json.' },
  BODY_TOO_LARGE: { httpStatus: 413, exitCode: 2, hint: 'Send less in one request.' },

  // Home
  HOME_MISSING: { httpStatus: 404, exitCode: 4, hint: '`takt init` makes one; TAKT_HOME says where.' },
  HOME_NOT_EMPTY: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Name an empty folder, or one that is a home of takt already.',
  },
  HOME_OTHER: {
    httpStatus: 421,
    exitCode: 5,
    hint: 'Set TAKT_HOME or TAKT_PORT to those of the service that you mean.',
  },
  HOME_NEWER: { httpStatus: 500, exitCode: 5, hint: 'This home was used by a newer takt; use that one.' },
  HOME_UNUSABLE: {
    httpStatus: 500,
    exitCode: 7,
    hint: 'Name a home in a folder that you may write, or mend its rights.',
  },
  FILE_CHANGED: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Read the file again and repeat the change on what it says now.',
  },

  // Repos
  REPO_NOT_FOUND: { httpStatus: 404, exitCode: 4, hint: '`takt repo list` shows the repos.' },
  REPO_EXISTS: { httpStatus: 409, exitCode: 5, hint: '`takt repo show NAME` shows it.' },
  REPO_IN_USE: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Take it out of these workspaces first: `takt workspace remove-repo`.',
  },
  UPSTREAM_MISSING: { httpStatus: 502, exitCode: 7, hint: 'Check the address: nothing was found there.' },
  UPSTREAM_EMPTY: { httpStatus: 502, exitCode: 7, hint: 'Push a first commit to the upstream, then add it again.' },
  UPSTREAM_DENIED: {
    httpStatus: 502,
    exitCode: 7,
    hint: 'The upstream asks for credentials; set up a key or a credential helper so that `git ls-remote URL` works without a prompt.',
  },
  HOST_KEY_UNKNOWN: {
    httpStatus: 502,
    exitCode: 7,
    hint: 'Connect once by hand with ssh and compare the fingerprint, so that the server is in known_hosts.',
  },
  HOST_KEY_CHANGED: {
    httpStatus: 502,
    exitCode: 7,
    hint: 'Ask whoever runs the server whether its key was changed, before you take the new one.',
  },
  PROXY_REFUSED: { httpStatus: 502, exitCode: 7, hint: 'Mend the proxy, or the setting that names it.' },
  SERVICE_CANNOT_REACH: {
    httpStatus: 502,
    exitCode: 7,
    hint: '`takt service restart` gives the service the environment of this shell.',
  },
  UPSTREAM_DAMAGED: { httpStatus: 502, exitCode: 7, hint: '`git fsck` in the upstream shows the damage.' },
  UPSTREAM_UNREACHABLE: { httpStatus: 502, exitCode: 7, hint: 'Check the network and the address.' },
  UPSTREAM_PARTIAL: {
    httpStatus: 502,
    exitCode: 7,
    hint: 'takt needs all objects: name a full repository instead of a partial one.',
  },
  UPSTREAM_UNSUPPORTED: {
    httpStatus: 502,
    exitCode: 7,
    hint: 'takt needs repositories whose objects are named by SHA-1, as git makes them unless told otherwise.',
  },
  UPSTREAM_MOVED: { httpStatus: 409, exitCode: 5, hint: '`takt workspace pull` takes in what came, then push again.' },
  PUSH_REJECTED: {
    httpStatus: 502,
    exitCode: 7,
    hint: 'The upstream refused; its words are above. `takt push` goes on where it stopped.',
  },
  GH_MISSING: {
    httpStatus: 409,
    exitCode: 7,
    hint: 'Install the GitHub CLI (`apt install gh`); `takt push` works without it.',
  },
  GH_LOGGED_OUT: {
    httpStatus: 409,
    exitCode: 7,
    hint: 'Log in with `gh auth login`, or set GH_TOKEN for the service; `takt push` works without it.',
  },
  GITHUB_UNREACHABLE: { httpStatus: 502, exitCode: 7, hint: 'Check the network and the proxy, then repeat.' },
  GITHUB_BUSY: { httpStatus: 503, exitCode: 7, hint: 'Repeat it after the time named.' },
  UPSTREAM_NOT_GITHUB: {
    httpStatus: 409,
    exitCode: 7,
    hint: 'Pull requests need an upstream on GitHub; `takt push` sends the branch all the same.',
  },
  BRANCH_PROTECTED: {
    httpStatus: 409,
    exitCode: 7,
    hint: 'GitHub’s own words are above; another name for the workspace, or other rules, may help.',
  },
  PR_REFUSED: {
    httpStatus: 502,
    exitCode: 7,
    hint: 'Mend what GitHub says, then repeat; `takt push` works without it.',
  },
  PR_NOT_FOUND: {
    httpStatus: 404,
    exitCode: 4,
    hint: 'The step create_pr or `takt pr create WORKSPACE` opens pull requests.',
  },
  FEEDBACK_NONE: { httpStatus: 409, exitCode: 5, hint: '--all takes in comments that an earlier run was given.' },
  ROOT_DAMAGED: {
    httpStatus: 500,
    exitCode: 7,
    hint: '`git fsck` in the root repo shows the damage; remove and add the repo again.',
  },
  GIT_FAILED: { httpStatus: 500, exitCode: 7, hint: 'The words of git are above.' },

  // Workspaces
  WORKSPACE_NOT_FOUND: { httpStatus: 404, exitCode: 4, hint: '`takt workspace list` shows the workspaces.' },
  WORKSPACE_EXISTS: { httpStatus: 409, exitCode: 5, hint: '`takt workspace show NAME` shows it.' },
  WORKSPACE_BUSY: { httpStatus: 409, exitCode: 5, hint: 'Wait for its run, or `takt run cancel` it.' },
  WORKSPACE_HAS_WORK: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Push or pull the work named, or repeat with --force: it is pinned or moved aside first.',
  },
  BRANCH_MISSING: { httpStatus: 404, exitCode: 4, hint: 'Name a branch that every repo has, or leave --from out.' },
  BRANCH_EXISTS: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Repeat with --adopt to work on that branch, or choose another name.',
  },
  WORKTREE_DIRTY: { httpStatus: 409, exitCode: 5, hint: 'Commit or stash the changes named, then repeat.' },
  WORKTREE_DIVERGED: { httpStatus: 409, exitCode: 5, hint: 'Merge or rebase by hand in the clone named, then push.' },
  CLONE_BROKEN: {
    httpStatus: 409,
    exitCode: 5,
    hint: '`takt workspace remove-repo` and `add-repo` make a new clone; your folder is kept aside.',
  },

  // Runs
  RUN_NOT_FOUND: { httpStatus: 404, exitCode: 4, hint: '`takt run list` shows the runs.' },
  STEP_NOT_FOUND: { httpStatus: 404, exitCode: 4, hint: '`takt run show RUN` lists its steps.' },
  RUN_FAILED: { httpStatus: 409, exitCode: 1, hint: '`takt run show` says why and what resumes it.' },
  RUN_WAITS: { httpStatus: 409, exitCode: 3, hint: '`takt run approve` or `takt run reject` decides.' },
  RUN_STATE: { httpStatus: 409, exitCode: 5, hint: '`takt run show` says in what state it is.' },
  PIPELINE_MISSING: { httpStatus: 409, exitCode: 5, hint: '`takt workspace pipeline-set` sets one.' },
  LANDING_CONFLICT: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Merge by hand in the workspace clone; `takt run show RUN` prints the command.',
  },
  MODEL_ACCESS_MISSING: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN for the service, `model.key_file` in settings.yaml, or log in with `claude`.',
  },
  CONFINEMENT_MISSING: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Install bubblewrap (`apt install bubblewrap`); `takt doctor` says why it does not start.',
  },
  COMMITS_CHANGED: { httpStatus: 409, exitCode: 5, hint: 'Look at what would go out now, and decide again.' },

  // Guidance
  TEMPLATE_NOT_FOUND: { httpStatus: 404, exitCode: 4, hint: '`takt template list` shows the templates.' },
  ROLE_NOT_FOUND: { httpStatus: 404, exitCode: 4, hint: '`takt role list` shows the roles.' },
  CONTEXT_NOT_FOUND: { httpStatus: 404, exitCode: 4, hint: '`takt context list` shows the packets.' },
  JOB_NOT_FOUND: { httpStatus: 404, exitCode: 4, hint: '`takt job list` shows the jobs.' },

  // Service and access
  SERVICE_UNREACHABLE: {
    httpStatus: 503,
    exitCode: 69,
    hint: '`takt service start` starts it; `takt service logs` says why it stopped.',
  },
  SERVICE_STARTING: { httpStatus: 503, exitCode: 69, hint: 'Try again in a moment.' },
  SERVICE_LOCKED: { httpStatus: 409, exitCode: 5, hint: '`takt service status` shows the one that runs.' },
  SYSTEMD_MISSING: {
    httpStatus: 501,
    exitCode: 69,
    hint: '`takt service start` runs it without systemd; `@reboot takt service start` in `crontab -e` starts it with the machine.',
  },
  UNIT_TAKEN: {
    httpStatus: 409,
    exitCode: 5,
    hint: 'Look at the unit named; takt writes over none that is not its own.',
  },
  UNIT_FAILED: { httpStatus: 502, exitCode: 7, hint: 'The words of systemd are above.' },
  PORT_TAKEN: { httpStatus: 409, exitCode: 69, hint: 'Set TAKT_PORT to a free port.' },
  ACCESS_DENIED: {
    httpStatus: 403,
    exitCode: 6,
    hint: 'Send the token in `.state/token` as `Authorization: Bearer …`; `takt open` hands it to a browser.',
  },
  HOST_REFUSED: { httpStatus: 421, exitCode: 6, hint: 'Call the service as 127.0.0.1 or localhost.' },
  ORIGIN_REFUSED: { httpStatus: 403, exitCode: 6, hint: 'Only the service’s own page may call it from a browser.' },
  CONFIRMATION_NEEDED: { httpStatus: 409, exitCode: 6, hint: 'Repeat with --yes.' },
  DISK_FULL: { httpStatus: 507, exitCode: 7, hint: 'Free space on the disk of the home, then repeat.' },
  CANCELLED: { httpStatus: 499, exitCode: 130, hint: 'Nothing half-made was left.' },
  PLATFORM_UNSUPPORTED: {
    httpStatus: 501,
    exitCode: 69,
    hint: 'takt runs on Linux; elsewhere its client works with TAKT_URL.',
  },
  INTERNAL: { httpStatus: 500, exitCode: 70, hint: 'This is a defect of takt; `takt service logs` has the details.' },
} as const satisfies Record<string, { httpStatus: number; exitCode: number; hint: string }>;

export type FaultCode = keyof typeof faults;

/** How a fault travels: over HTTP as `{fault: …}`, and in `--json` on standard error. */
export interface FaultReport {
  readonly code: FaultCode;
  /** One sentence that names the thing and what is wrong with it. */
  readonly message: string;
  readonly hint: string;
  /** More lines, such as another program's own words; may be long. */
  readonly detail?: string;
}

/**
 * What stops takt from doing what was asked. Failures of the user's work are outcomes, not faults. Secrets in
 * addresses are masked in all its texts, whoever wrote them.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly hint: string;
  readonly detail: string | undefined;

  constructor(code: FaultCode, message: string, options: { hint?: string; detail?: string; cause?: unknown } = {}) {
    super(withoutSecrets(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.hint = withoutSecrets(options.hint ?? faults[code].hint);
    this.detail = options.detail === undefined ? undefined : withoutSecrets(options.detail);
  }

  report(): FaultReport {
    const report = { code: this.code, message: this.message, hint: this.hint };
    return this.detail === undefined ? report : { ...report, detail: this.detail };
  }
}

/** The fault that a report describes; a code that this version does not know becomes INTERNAL. */
export function faultFromReport(report: { code: string; message: string; hint?: string; detail?: string }): Fault {
  const code = Object.hasOwn(faults, report.code) ? (report.code as FaultCode) : 'INTERNAL';
  return new Fault(code, report.message, {
    ...(report.hint === undefined ? {} : { hint: report.hint }),
    ...(report.detail === undefined ? {} : { detail: report.detail }),
  });
}
