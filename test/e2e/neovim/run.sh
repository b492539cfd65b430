#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Neovim without a screen and without configuration, with the language server over stdio.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"

mkdir -p "$RUN/home"
export SERVER=${PATCHWALK_SERVER:-$ROOT/dist/server.cjs} WORKSPACE=$RUN/workspace
env HOME="$RUN/home" XDG_CONFIG_HOME="$RUN/home/config" XDG_DATA_HOME="$RUN/home/data" \
  XDG_CACHE_HOME="$RUN/home/cache" XDG_STATE_HOME="$RUN/home/state" \
  timeout --kill-after=5 90 nvim --headless -u NONE -i NONE -n -S "$E2E/neovim/session.lua" </dev/null 2>"$RUN/neovim.log" \
  || { cat "$RUN/neovim.log" >&2; exit 1; }
