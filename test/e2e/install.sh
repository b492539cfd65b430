#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Fetches the editors into the cache: code-server, the Node it needs, Playwright's
# runner, and (as root) the distribution's chromium and neovim. A step that has
# completed once is skipped, so a warm call costs nothing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
mkdir -p "$CACHE"

# step NAME COMMAND...: runs the command unless it has completed before.
step() {
  local done_mark=$CACHE/.done-$1 log=$CACHE/install-$1.log begin=$SECONDS
  shift
  [ -e "$done_mark" ] && return 0
  if ! "$@" >"$log" 2>&1; then
    tail -30 "$log" >&2
    echo "e2e: installing failed, see $log" >&2
    return 1
  fi
  touch "$done_mark"
  echo "e2e: ${done_mark##*/.done-} installed in $((SECONDS - begin)) s"
}

# npm_into DIR PACKAGE [OPTION...]: one package in a folder of its own.
npm_into() {
  local dir=$1 package=$2
  shift 2
  mkdir -p "$dir"
  echo '{"private":true}' >"$dir/package.json"
  (cd "$dir" && npm install "$package" --no-audit --no-fund --no-update-notifier "$@")
}

# The package `node` puts its binary in place with an install script; where
# scripts are switched off, the package of the platform still brings the binary.
install_node() {
  npm_into "$NODE24_DIR" "node@$NODE_MAJOR" --ignore-scripts
  local modules=$NODE24_DIR/node_modules
  if [ ! -x "$NODE24" ]; then
    (cd "$modules/node" && node installArchSpecificPackage.js)
  fi
  "$NODE24" --version
}

install_code_server() {
  npm_into "$CODE_SERVER_DIR" "code-server@$CODE_SERVER_VERSION" --ignore-scripts
  cd "$CODE_SERVER_DIR/node_modules/code-server/lib/vscode"
  npm install --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier
}

install_playwright() {
  npm_into "$PLAYWRIGHT_DIR" "@playwright/test@$PLAYWRIGHT_VERSION" --ignore-scripts
}

# need_program COMMAND PACKAGE: a program of the distribution, installed when absent.
need_program() {
  command -v "$1" >/dev/null && return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "e2e: $1 is not installed (Debian package: $2)" >&2
    return 1
  fi
  local log=$CACHE/install-$2.log begin=$SECONDS
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$2"; } >"$log" 2>&1; then
    tail -30 "$log" >&2
    echo "e2e: installing $2 failed, see $log" >&2
    return 1
  fi
  echo "e2e: $2 installed in $((SECONDS - begin)) s"
}

need_program chromium chromium
need_program nvim neovim
step "node-$NODE_MAJOR" install_node
step "code-server-$CODE_SERVER_VERSION" install_code_server
step "playwright-$PLAYWRIGHT_VERSION" install_playwright
