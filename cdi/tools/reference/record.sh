#!/bin/sh
# Builds the oracle from Debian 12's packages of the Go reference (0.5.2) in a temporary folder, installing nothing, and
# records test-support/reference-cases.jsonl anew. Needs Debian 12's package sources and Go.
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=golang-github-container-orchestrated-devices-container-device-interface-dev
cd "$work"
apt-get install --simulate --no-install-recommends --reinstall $package golang-github-opencontainers-runtime-tools-dev \
  golang-github-sirupsen-logrus-dev golang-golang-x-sys-dev golang-github-pkg-errors-dev |
  sed -n 's/^Inst \(golang[^ ]*-dev\) .*/\1/p' | xargs apt-get download -qq 2>&1 | grep -v unsandboxed || true
for archive in ./*.deb; do dpkg -x "$archive" root; done
mkdir -p gopath/src/oracle
cp "$here/oracle.go" gopath/src/oracle/main.go
GO111MODULE=off GOPATH="$work/gopath:$work/root/usr/share/gocode" GOCACHE="$work/cache" go build -o oracle oracle
cd "$here"
CDI_ORACLE="$work/oracle" node --import tsx record.ts "$@"
