#!/bin/sh
# Installs the Debian packages that set-up needs and the host lacks, saying which and why, and records them in
# build/installed-packages (make clean lists that file). Runs before npm, so it is plain sh.
#
#   sh guest-image/install-packages.sh [--check] [--optional] [LIST]
#     --check     only says what is missing, and exits 1 if something is
#     --optional  goes on without what cannot be installed
#     LIST        file of names and reasons (default: packages, beside this file)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
record=$here/../build/installed-packages
check=
optional=
list=$here/packages
for word in "$@"; do
	case $word in
	--check) check=yes ;;
	--optional) optional=yes ;;
	-*)
		echo "install-packages: unknown option '$word' (--check, --optional)" >&2
		exit 2
		;;
	*) list=$word ;;
	esac
done

missing=
while read -r package reason; do
	case $package in '' | '#'*) continue ;; esac
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] && continue
	missing="$missing $package"
	echo "missing: $package ($reason)" >&2
done <"$list"

[ -n "$missing" ] || exit 0
if [ -n "$check" ]; then
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
install() { apt-get install -y -q --no-install-recommends --no-remove "$@" >"$log" 2>&1; }
# shellcheck disable=SC2086 # the names are words
if ! install $missing; then
	# The usual reason on a fresh machine: no package lists yet.
	apt-get update -q >&2 || echo "no package lists: is the network there?" >&2
	# shellcheck disable=SC2086
	if ! install $missing; then
		cat "$log" >&2
		[ -n "$optional" ] || exit 1
		got=
		for package in $missing; do
			if install "$package"; then got="$got $package"; else echo "going on without $package" >&2; fi
		done
		missing=$got
	fi
fi
mkdir -p "$(dirname "$record")"
# shellcheck disable=SC2086
[ -z "$missing" ] || printf '%s\n' $missing >>"$record"
