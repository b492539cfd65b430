#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh [vscode] [neovim]: packages the extension and drives it in real editors;
# without arguments, in both. UPDATE_IMAGES=1 copies the screenshots to docs/images.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

[ $# -gt 0 ] || set -- vscode neovim
"$E2E/install.sh"
if [ -z "${PATCHWALK_VSIX:-}" ]; then
  package_log=$(cd "$ROOT" && npm run --silent package 2>&1) || { echo "$package_log" >&2; exit 1; }
fi
node "$E2E/check-package.mjs" "$VSIX"

rm -rf "$RUN"
mkdir -p "$SCREENSHOTS"
cp -r "$E2E/workspace" "$RUN/workspace"
cp -r "$ROOT/docs/examples" "$RUN/workspace/examples"
for editor in "$@"; do
  begin=$SECONDS
  timeout --kill-after=10 240 "$E2E/$editor/run.sh"
  echo "e2e: $editor passed in $((SECONDS - begin)) s"
done
if [ "${UPDATE_IMAGES:-0}" = 1 ]; then
  mkdir -p "$ROOT/docs/images"
  cp "$SCREENSHOTS"/*.png "$ROOT/docs/images/"
  # What the pictures show, as text: test/images.test.ts tells when it is no longer what users see.
  node "$E2E/shown.mjs" >"$ROOT/docs/images/shown.json"
fi
