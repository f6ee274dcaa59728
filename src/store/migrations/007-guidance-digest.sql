-- SHA-256 of the CLAUDE.md that takt wrote last on top of a workspace; null: not known, from before this was kept.
ALTER TABLE workspaces ADD COLUMN guidance_sha256 TEXT;
