-- The journal of moving a clone's files, index and branch forward: written before the first lock, gone after the last.
CREATE TABLE clone_pulls (
  workspace TEXT NOT NULL,
  repo TEXT NOT NULL,
  old_commit TEXT NOT NULL,
  new_commit TEXT NOT NULL,
  PRIMARY KEY (workspace, repo)
) STRICT;
