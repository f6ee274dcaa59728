CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- A mirror. The upstream's address lives here and in repos.yaml, never in the mirror's own config.
CREATE TABLE roots (
  repo TEXT PRIMARY KEY,
  upstream TEXT NOT NULL,
  default_branch TEXT NOT NULL,
  fetched_at_ms INTEGER,
  fetch_fault TEXT
) STRICT;

CREATE TABLE workspaces (
  name TEXT PRIMARY KEY,
  base TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  pipeline TEXT
) STRICT;

CREATE TABLE workspace_repos (
  workspace TEXT NOT NULL REFERENCES workspaces (name) ON DELETE CASCADE,
  repo TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('edit', 'read')),
  position INTEGER NOT NULL,
  PRIMARY KEY (workspace, repo)
) STRICT;

-- Outlives its workspace, so that a number and the folder named after it never come again.
CREATE TABLE run_numbers (
  workspace TEXT PRIMARY KEY,
  latest INTEGER NOT NULL
) STRICT;

-- Where each workspace branch stood when it was last compared; no row means the branch was absent.
CREATE TABLE seen_refs (
  repo TEXT NOT NULL,
  branch TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  PRIMARY KEY (repo, branch)
) STRICT;

-- What upstream's branch was at our last fetch or push of it.
CREATE TABLE upstream_heads (
  repo TEXT NOT NULL,
  branch TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  recorded_at_ms INTEGER NOT NULL,
  PRIMARY KEY (repo, branch)
) STRICT;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  trigger TEXT NOT NULL,
  note TEXT,
  queued_at_ms INTEGER NOT NULL,
  -- Of a run that gathers: when it stops doing so, and the latest that this may be put off to.
  gather_until_ms INTEGER,
  gather_limit_ms INTEGER,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  pipeline TEXT NOT NULL,
  -- Roles, settings and repos as they were when the run began to work; null while it is queued.
  snapshot TEXT,
  reason TEXT,
  superseded_by INTEGER,
  -- Null once the folder was cleared away.
  folder TEXT,
  -- Set when a deleted branch forbids landing.
  may_land INTEGER NOT NULL DEFAULT 1,
  UNIQUE (workspace, number)
) STRICT;
CREATE INDEX runs_by_state ON runs (state) WHERE state IN ('gathering', 'queued', 'running', 'waiting');
CREATE INDEX runs_by_age ON runs (queued_at_ms DESC);

CREATE TABLE run_repos (
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  repo TEXT NOT NULL,
  role TEXT NOT NULL,
  position INTEGER NOT NULL,
  start_commit TEXT NOT NULL,
  head_commit TEXT NOT NULL,
  landed_commit TEXT,
  PRIMARY KEY (run, repo)
) STRICT;

-- Position 0 is the setup that takt adds.
CREATE TABLE run_steps (
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (run, position),
  UNIQUE (run, name)
) STRICT;

CREATE TABLE attempts (
  id TEXT PRIMARY KEY,
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step TEXT NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  exit_code INTEGER,
  result TEXT,
  usage TEXT,
  confinement TEXT,
  repos TEXT NOT NULL DEFAULT '[]',
  session_id TEXT,
  -- The request as its host got it; a host that never took it is started again with the same.
  request TEXT NOT NULL,
  output_bytes INTEGER NOT NULL DEFAULT 0,
  -- True once the whole output is stored and the spool folder may go.
  is_sealed INTEGER NOT NULL DEFAULT 0,
  UNIQUE (run, step, number)
) STRICT;
CREATE INDEX attempts_alive ON attempts (state) WHERE state IN ('starting', 'running');

-- Bytes of output.ndjson as they came; the offset is the place in that file.
CREATE TABLE output (
  attempt TEXT NOT NULL,
  start_byte INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (attempt, start_byte)
) STRICT;

CREATE TABLE approvals (
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('approved', 'rejected')),
  note TEXT,
  commits TEXT NOT NULL,
  decided_at_ms INTEGER NOT NULL
) STRICT;

-- The journal of landing: written before any ref moves, settled with seen_refs.
CREATE TABLE landings (
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  attempt TEXT NOT NULL,
  repo TEXT NOT NULL,
  branch TEXT NOT NULL,
  old_commit TEXT NOT NULL,
  new_commit TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'landed', 'foreign')),
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (attempt, repo)
) STRICT;
CREATE INDEX landings_open ON landings (state) WHERE state = 'planned';

CREATE TABLE events (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  workspace TEXT,
  run TEXT,
  data TEXT NOT NULL
) STRICT;
