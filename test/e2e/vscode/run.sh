#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Installs the package in VS Code's workbench (code-server), serves it on a free
# port of the loopback, and lets Playwright work in it through Chromium.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"

export PORT WORKSPACE=$RUN/workspace CHROMIUM
CHROMIUM=$(command -v chromium)
PORT=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
code_server=("$NODE24" "$CODE_SERVER" --user-data-dir "$RUN/profile" --extensions-dir "$RUN/extensions" --config "$RUN/config.yaml")

# Nothing of the user's own editor is read or written.
mkdir -p "$RUN/home" "$RUN/profile/User"
isolated=(env HOME="$RUN/home" XDG_CONFIG_HOME="$RUN/home/config" XDG_DATA_HOME="$RUN/home/data" XDG_CACHE_HOME="$RUN/home/cache")
: >"$RUN/config.yaml"
cp "$E2E/vscode/settings.json" "$RUN/profile/User/settings.json"

if ! "${isolated[@]}" "${code_server[@]}" --install-extension "$VSIX" >"$RUN/install.log" 2>&1; then
  cat "$RUN/install.log" >&2
  exit 1
fi

# A process group of its own, so that the extension host and the server end with it.
# Each program here executes the next in its place: the group's number is that of the job.
"${isolated[@]}" setsid "${code_server[@]}" --auth none --bind-addr "127.0.0.1:$PORT" \
  --disable-telemetry --disable-update-check --disable-workspace-trust --disable-getting-started-override \
  >"$RUN/code-server.log" 2>&1 </dev/null &
server=$!
stop() {
  kill -TERM -- "-$server" 2>/dev/null || return 0
  for _ in $(seq 30); do
    kill -0 -- "-$server" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$server" 2>/dev/null || true
}
trap stop EXIT

healthy() { node -e 'fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))'; }
for _ in $(seq 150); do
  healthy && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.2
done
healthy || { tail -30 "$RUN/code-server.log" >&2; exit 1; }

show_logs() {
  find "$RUN/profile/logs" -path '*patchwalk*' -name '*.log' -exec tail -n 40 {} + >&2 || true
}
NODE_PATH=$PLAYWRIGHT_DIR/node_modules node "$PLAYWRIGHT_DIR/node_modules/@playwright/test/cli.js" test \
  -c "$E2E/vscode/playwright.config.cjs" || { show_logs; exit 1; }
