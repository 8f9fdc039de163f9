#!/bin/sh
# After the service has ended, however it did: takes away the containers and mounts it left. A new agent knows nothing of them.
base=/run/kata-containers
state=/run/kata-mock-agent
runcs=$state/runc

for container in $runcs/*/; do
	[ -d "$container" ] && runc --root $runcs delete --force "$(basename "$container")"
done
while read -r _ target _; do
	case $target in
	$base/*) umount -l "$target" ;;
	esac
done </proc/self/mounts
rm -rf $state/overlay-* $state/bundles
