/** What each setting means, in a line for lists; a test holds the keys against the contract. */
export const settingAbout: Readonly<Record<string, string>> = {
  author: 'Author of commits that takt makes, as { name: …, email: … }; git’s own user if not set.',
  'model.default': 'Model of agent steps that name none: sonnet, opus, haiku or a full id.',
  'model.base_url': 'Another address of the Messages API.',
  'model.key_file': 'File that holds the API key, mode 0600.',
  on_new_push: 'What a push does to the workspace’s running run: stop it, or let it finish.',
  confinement: 'auto: where it works; strict: or not at all; off: never.',
  toolchains: 'Folders with tools that work may read and run.',
  steps_at_once: 'Steps at once; the least of cores, free memory in GiB and 4 if not set.',
  fetch_interval_s: 'Seconds between fetches of each repo; 0 fetches only when told.',
  step_timeout_s: 'Seconds after which a step is ended.',
  silence_timeout_s: 'Seconds without output after which a step is ended.',
  output_limit_mb: 'Output of one attempt in MB; more ends it.',
  max_turns: 'Turns of an agent in one attempt.',
  keep_failed_days: 'Days that folders of runs are kept which did not pass.',
  'pull_requests.draft': 'Open pull requests as drafts.',
  'pull_requests.poll_interval_s': 'Seconds between looks at open pull requests; 0 looks only when told.',
  environment:
    'Variables for the service, as { NAME: value }, or one by environment.NAME; read when it starts, and stronger than those it is started with.',
};
