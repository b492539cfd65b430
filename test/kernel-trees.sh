#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# kernel-trees.sh [RELEASE...]: runs the tests that need a kernel tree (PATCHWALK_KERNEL_TREE)
# on the kernels of Debian, 6.1 and 6.12 unless told otherwise. What they read of
# the source packages is kept in PATCHWALK_KERNEL_CACHE. Without the package or the
# network the tests are skipped, and this says so; a test that fails fails this.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CACHE=${PATCHWALK_KERNEL_CACHE:-${XDG_CACHE_HOME:-${HOME:-${TMPDIR:-/tmp}}/.cache}/patchwalk-kernels}
PATIENCE=100

skip() {
  echo "kernel $1: SKIPPED, $2" >&2
  return 1
}

# candidate PACKAGE: the version that apt would take, or nothing.
candidate() {
  apt-cache policy "$1" | sed -n 's/^ *Candidate: //p' | grep -v '^(none)$' || true
}

# A fresh machine has no lists of packages; getting them takes root.
update_lists() {
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  timeout "$PATIENCE" "${as_root[@]}" apt-get update -qq >/dev/null 2>&1 || true
}

# download PACKAGE=VERSION FOLDER: an older list may name a package that is gone.
download() {
  (cd "$2" && timeout "$PATIENCE" apt-get download -qq "$1" >/dev/null 2>&1)
}

# What the tests read: what a scan reads, more code that takes locks, and users of GUP.
wanted() {
  printf '%s\n' Makefile kernel block io_uring drivers/infiniband drivers/vfio
  grep -o '"[a-z_0-9/.]*"' server/kernel/tree-paths.ts | tr -d '"'
}

# is_complete FOLDER: one that was unpacked for earlier tests may have less.
is_complete() {
  local path
  for path in $(wanted); do [ -e "$1/$path" ] || return 1; done
}

# tree RELEASE: sets TREE to a folder with what the tests read of the release.
tree() {
  local release=$1 package=linux-source-$1 version new
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { skip "$release" "no apt-get here"; return; }
  version=$(candidate "$package")
  [ -n "$version" ] || { update_lists; version=$(candidate "$package"); }
  [ -n "$version" ] || { skip "$release" "no package $package"; return; }
  TREE=$CACHE/$version
  ! is_complete "$TREE" || return 0
  mkdir -p "$CACHE" && new=$(mktemp -d "$CACHE/new.XXXXXX") || { skip "$release" "$CACHE cannot be written"; return; }
  chmod 755 "$new"
  if ! download "$package=$version" "$new"; then
    update_lists
    version=$(candidate "$package")
    TREE=$CACHE/$version
    download "$package=$version" "$new" || { rm -rf "$new"; skip "$release" "$package cannot be downloaded"; return; }
  fi
  extract "$package" "$new" || { rm -rf "$new"; skip "$release" "$package cannot be unpacked"; return; }
  rm -f "$new"/*.deb
  # Whoever was faster has the same.
  is_complete "$TREE" || { rm -rf "$TREE"; mv "$new" "$TREE"; }
  rm -rf "$new"
}

# extract PACKAGE FOLDER: out of the archive in the package.
extract() {
  local paths
  mapfile -t paths < <(wanted)
  dpkg-deb --fsys-tarfile "$2"/*.deb | tar -xO "./usr/src/$1.tar.xz" | tar -xJ -C "$2" --strip-components=1 "${paths[@]/#/$1/}"
}

[ $# -gt 0 ] || set -- 6.1 6.12
mapfile -t tests < <(grep -rl PATCHWALK_KERNEL_TREE test --include='*.test.ts' | sort)
command -v ctags >/dev/null || echo "ctags (universal-ctags) is absent: recall is not measured" >&2
# One release beside the other: most of the time goes into scans, of one thread each.
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
running=()
for release in "$@"; do
  TREE=
  tree "$release" || continue
  echo "kernel $release: $(basename "$TREE")" >"$logs/$release"
  PATCHWALK_KERNEL_TREE=$TREE npx vitest run "${tests[@]}" >>"$logs/$release" 2>&1 &
  running+=("$!=$release")
done
failed=0
for one in "${running[@]}"; do
  wait "${one%%=*}" || failed=1
  cat "$logs/${one#*=}"
done
exit "$failed"
