/** What a new home says in `config/repos.yaml`. */
export const REPOS_STARTER = `# The repositories that takt works on. \`takt repo add NAME URL\` adds one here; \`takt repo fetch --all\` mirrors what you
# add by hand.
#
# - name: app                          # short name, also the folder's
#   upstream: git@github.com:acme/app.git
#   push_url: git@github.com:ada/app.git   # branches go to this fork instead of upstream
#   default_branch: main               # found out if left out
#   depends_on: [lib]                  # pushed before this one
#   setup: npm ci                      # makes a fresh worktree able to work
#   copy: [.env]                       # files from config/files/app/ that git does not hold
#   cache: [node_modules]              # folders kept between runs
repos: []
`;

/** What a new home says in `config/settings.yaml`: every setting with its default, commented out. */
export const SETTINGS_STARTER = `# Settings; what is not set has the default shown. \`takt setting set KEY VALUE\` changes one.
#
# author: { name: Ada, email: ada@example.org }   # of takt's commits; git's own user if left out
# model:
#   default: sonnet            # for agent steps that name none
#   base_url: https://…        # another address of the Messages API
#   key_file: /path/to/key     # file with the API key, mode 0600
# on_new_push: stop            # stop | finish: what a push does to the workspace's run
# confinement: auto            # auto | strict | off
# toolchains: []               # folders with tools that work may read and run
# steps_at_once: 4             # the least of cores, free memory in GiB and 4 if left out
# fetch_interval_s: 300        # 0: only when told
# step_timeout_s: 3600
# silence_timeout_s: 900       # a step that prints nothing for so long is ended
# output_limit_mb: 64
# max_turns: 200               # of an agent
# keep_failed_days: 7          # folders of runs that did not pass
# pull_requests:
#   draft: false               # open them as drafts
#   poll_interval_s: 120       # looks at open ones so often; 0: only when told
# environment:                 # of the service, read when it starts, however it is started
#   HTTPS_PROXY: http://proxy.example:3128
`;
