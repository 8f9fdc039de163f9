#!/bin/sh
# Installs the Debian packages that set-up needs and the host lacks, saying which and why, and records them in
# build/installed-packages (make clean lists that file). Runs before npm, so it is plain sh.
#
#   sh guest-image/install-packages.sh [--check]     --check only says what is missing, and exits 1 if something is
set -eu
here=$(cd "$(dirname "$0")" && pwd)
record=$here/../build/installed-packages

missing=
while read -r package reason; do
	case $package in '' | '#'*) continue ;; esac
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] && continue
	missing="$missing $package"
	echo "missing: $package ($reason)" >&2
done <"$here/packages"

[ -n "$missing" ] || exit 0
if [ "${1:-}" = --check ]; then
	echo "install with: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "install-packages: needs root to install$missing: run it with sudo" >&2
	exit 1
fi
echo "installing Debian packages:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # the names are words
install() { apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1; }
if ! install; then
	# The usual reason on a fresh machine: no package lists yet.
	apt-get update -q >&2
	install || {
		cat "$log" >&2
		exit 1
	}
fi
mkdir -p "$(dirname "$record")"
# shellcheck disable=SC2086
printf '%s\n' $missing >>"$record"
