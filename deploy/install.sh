#!/bin/sh
# Makes a node of a Kubernetes cluster ready for RuntimeClass kata-mock, from a clone where `make setup` has run.
# Writes files and links only; it restarts nothing, and says what is left to do.
set -eu

usage() {
	cat <<'END'
usage: deploy/install.sh [options]

  --runtime containerd|crio|none   whose drop-in to write (default: the one whose directory is in /etc)
  --kata-config FILE               Kata's QEMU configuration to start from
                                   (default: where kata-deploy and Kata's packages put it)
  --devices N                      how many devices to name in the host's CDI spec (default 8)
  --root DIR                       write below DIR instead of / (to look, to test, to build an image)
  --uninstall                      remove what this script writes
  --help

Example:
  sudo deploy/install.sh --runtime containerd
END
}

die() {
	echo "install.sh: $1" >&2
	[ $# -lt 2 ] || echo "  $2" >&2
	exit "${3:-1}"
}

here=$(cd "$(dirname "$0")" && pwd)
clone=$(dirname "$here")
runtime=
kata_config=
devices=8
root=
uninstall=

while [ $# -gt 0 ]; do
	case $1 in
	--runtime | --kata-config | --devices | --root) [ $# -gt 1 ] || die "$1 needs a value" "see --help" 2 ;;
	esac
	case $1 in
	--runtime) runtime=$2 && shift ;;
	--kata-config) kata_config=$2 && shift ;;
	--devices) devices=$2 && shift ;;
	--root) root=${2%/} && shift ;;
	--uninstall) uninstall=yes ;;
	--help)
		usage
		exit 0
		;;
	*) die "there is no option \"$1\"" "see --help" 2 ;;
	esac
	shift
done

if [ -z "$runtime" ]; then
	if [ -d "$root/etc/crio" ] && [ ! -d "$root/etc/containerd" ]; then runtime=crio; else runtime=containerd; fi
fi
case $runtime in containerd | crio | none) ;; *) die "\"$runtime\" is not containerd, crio or none" "see --help" 2 ;; esac

opt=$root/opt/kata-mock
kata=$root/etc/kata-containers/kata-mock
containerd_main=$root/etc/containerd/config.toml
containerd_dropin=$root/etc/containerd/conf.d/kata-mock.toml
crio_dropin=$root/etc/crio/crio.conf.d/99-kata-mock.conf
config=$root/etc/kata-mock/config.toml
begin='# kata-mock begin (deploy/install.sh)'
end='# kata-mock end'

say() { echo "$1"; }

# Takes our block out of containerd's main file; prints the rest.
without_block() { awk -v b="$begin" -v e="$end" '$0 == b {skip = 1} !skip {print} $0 == e {skip = 0}' "$1"; }

# Writes stdin to a file in one go, keeping a good file when the disk is full.
put() {
	mkdir -p "$(dirname "$1")"
	cat >"$1.new" && mv "$1.new" "$1"
	say "wrote   $1"
}

if [ -n "$uninstall" ]; then
	for file in "$opt/bin/kata-mock-qemu" "$opt/share/vmlinux" "$opt/share/initrd" "$kata/config.d/10-kata-mock.toml" \
		"$kata/configuration.toml" "$containerd_dropin" "$crio_dropin" "$root/etc/cdi/kata-mock.json"; do
		if [ -e "$file" ] || [ -L "$file" ]; then rm -f "$file" && say "removed $file"; fi
	done
	for directory in "$opt/bin" "$opt/share" "$opt" "$kata/config.d" "$kata"; do
		rmdir "$directory" 2>/dev/null || true
	done
	if [ -f "$containerd_main" ] && grep -qxF "$begin" "$containerd_main"; then
		without_block "$containerd_main" | put "$containerd_main"
	fi
	[ ! -e "$config" ] || say "kept    $config"
	exit 0
fi

artefacts=$clone/build/artefacts.json
[ -f "$artefacts" ] || die "$artefacts is missing: this clone has not been set up" "run \`make setup\` in $clone first"
[ -f "$clone/dist/hook/main.js" ] || die "$clone/dist/hook is missing" "run \`make build\` in $clone first"

if [ -z "$kata_config" ]; then
	for candidate in /opt/kata/share/defaults/kata-containers /usr/share/defaults/kata-containers \
		/usr/share/kata-containers/defaults; do
		[ -z "$kata_config" ] && [ -f "$root$candidate/configuration-qemu.toml" ] &&
			kata_config=$root$candidate/configuration-qemu.toml
	done
	[ -n "$kata_config" ] || die "found no configuration-qemu.toml of Kata" "name it with --kata-config FILE"
fi
[ -f "$kata_config" ] || die "there is no Kata configuration at \"$kata_config\""
grep -q '^\[hypervisor\.qemu\]' "$kata_config" ||
	die "\"$kata_config\" has no section [hypervisor.qemu]" "name Kata's QEMU configuration with --kata-config FILE"

# Path of an artefact; the file holds absolute paths, or some relative to itself.
artefact() {
	node -e '
		const [file, key] = process.argv.slice(1);
		const value = key.split(".").reduce((at, name) => at?.[name], JSON.parse(require("fs").readFileSync(file, "utf8")));
		if (typeof value !== "string") { console.error(`install.sh: ${file} names no ${key}: run \`make setup\``); process.exit(1); }
		console.log(require("path").resolve(require("path").dirname(file), value));
	' "$artefacts" "$1"
}

link() {
	mkdir -p "$(dirname "$2")"
	ln -sfn "$1" "$2"
	say "linked  $2 -> $1"
}

kernel=$(artefact kernel)
initrd=$(artefact initrd)
qemu=$(artefact qemu.path)
root_image=$(artefact rootImage)
link "$clone/runtime-hook/wrapper/kata-mock-qemu" "$opt/bin/kata-mock-qemu"
link "$kernel" "$opt/share/vmlinux"
link "$initrd" "$opt/share/initrd"

put "$kata/configuration.toml" <"$kata_config"
put "$kata/config.d/10-kata-mock.toml" <"$here/kata/10-kata-mock.toml"

if [ -e "$config" ]; then
	say "kept    $config (its qemu and rootImage must name $qemu and $root_image)"
else
	put "$config" <<END
# See docs/hook.md. Written by deploy/install.sh.
qemu = "$qemu"
rootImage = "$root_image"
END
fi

case $runtime in
containerd)
	if [ -f "$containerd_main" ] && grep -Eq '^[[:space:]]*version[[:space:]]*=[[:space:]]*2' "$containerd_main"; then
		{
			without_block "$containerd_main"
			echo "$begin"
			cat "$here/containerd/config-v2-append.toml"
			echo "$end"
		} | put "$containerd_main"
		grep -Eq '^[[:space:]]*enable_cdi[[:space:]]*=[[:space:]]*true' "$containerd_main" ||
			say 'todo    for CDI with containerd 1.7: enable_cdi = true in [plugins."io.containerd.grpc.v1.cri"]'
	else
		put "$containerd_dropin" <"$here/containerd/config-v3-import.toml"
		if [ -f "$containerd_main" ] && ! grep -Eq '^[[:space:]]*imports[[:space:]]*=.*conf\.d' "$containerd_main"; then
			say "todo    imports = [\"/etc/containerd/conf.d/*.toml\"] in $containerd_main, before its first table"
		fi
	fi
	say 'todo    systemctl restart containerd'
	;;
crio)
	put "$crio_dropin" <"$here/crio/99-kata-mock.conf"
	say 'todo    systemctl restart crio'
	;;
esac

"$clone/bin/kata-mock" cdi-host --count "$devices" --spec-dir "$root/etc/cdi" | sed -n 's/^wrote/wrote  /p'
say 'todo    kubectl label node NODE kata-mock.dev/node=true'
say "todo    kubectl apply -f $here/kubernetes/runtimeclass.yaml"
