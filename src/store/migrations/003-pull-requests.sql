-- Pull requests that takt opened for a workspace; gone with it.
CREATE TABLE pull_requests (
  workspace TEXT NOT NULL REFERENCES workspaces (name) ON DELETE CASCADE,
  repo TEXT NOT NULL,
  host TEXT NOT NULL,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  url TEXT NOT NULL,
  base TEXT NOT NULL,
  opened_at_ms INTEGER NOT NULL,
  -- What the last look saw, as JSON (PullSight).
  sight TEXT NOT NULL,
  looked_at_ms INTEGER,
  fault TEXT,
  PRIMARY KEY (workspace, repo, host, owner, name, number)
) STRICT;

-- Comments that an agent has read in a run that answers them.
CREATE TABLE answered_comments (
  workspace TEXT NOT NULL REFERENCES workspaces (name) ON DELETE CASCADE,
  repo TEXT NOT NULL,
  comment TEXT NOT NULL,
  PRIMARY KEY (workspace, repo, comment)
) STRICT;

-- What checks and reviewers said, as JSON (RunFeedback), for the first agent of a run that answers it.
ALTER TABLE runs ADD COLUMN feedback TEXT;

-- What a workspace is for, in the operator's words; its first line is the title of pull requests.
ALTER TABLE workspaces ADD COLUMN task TEXT;
