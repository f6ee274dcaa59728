-- The journal of bringing a workspace's branch forward to upstream's: written before the ref moves, gone with seen_refs.
CREATE TABLE branch_forwards (
  repo TEXT NOT NULL,
  branch TEXT NOT NULL,
  old_commit TEXT NOT NULL,
  new_commit TEXT NOT NULL,
  PRIMARY KEY (repo, branch)
) STRICT;
