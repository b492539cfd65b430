# SPDX-License-Identifier: GPL-2.0-only
# Sourced by every script of the editor suite. Each value may be set from outside.
#
# CACHE holds what is downloaded and survives between runs; RUN holds one run's
# profile, logs and screenshots. Neither lies inside the repository.

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$E2E/../.." && pwd)
CACHE=${PATCHWALK_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/patchwalk-e2e}
RUN=${PATCHWALK_E2E_RUN:-$CACHE/run}

CODE_SERVER_VERSION=${CODE_SERVER_VERSION:-4.139.1} # the workbench of VS Code 1.139; runs on Node 24 only
NODE_MAJOR=24
PLAYWRIGHT_VERSION=${PLAYWRIGHT_VERSION:-1.65.1}

CODE_SERVER_DIR=$CACHE/code-server-$CODE_SERVER_VERSION
CODE_SERVER=$CODE_SERVER_DIR/node_modules/code-server/out/node/entry.js
PLAYWRIGHT_DIR=$CACHE/playwright-$PLAYWRIGHT_VERSION
NODE24_DIR=$CACHE/node-$NODE_MAJOR
if [ "$(node -p 'process.versions.node.split(".")[0]')" = "$NODE_MAJOR" ]; then
  NODE24=$(command -v node)
else
  NODE24=$NODE24_DIR/node_modules/node/bin/node
fi

VSIX=${PATCHWALK_VSIX:-$ROOT/dist/patchwalk.vsix}
SCREENSHOTS=$RUN/screenshots
export E2E ROOT RUN SCREENSHOTS
