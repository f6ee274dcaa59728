-- Where workspaces' branches are pushed to, such as a fork; null: to the upstream.
ALTER TABLE roots ADD COLUMN push_url TEXT;
