#!/usr/bin/env bash
# NFS test lab inside User-Mode Linux: a real Linux kernel nfsd and two real
# Linux kernel NFS clients, as one ordinary (unprivileged) host process, ready
# 4-8 s after it was started (3-9 s more for a download of 43 MB, the first time).
# tests/support/lab.py calls it for the tests; by hand it is used like this:
#
#   run.sh 'COMMAND'            run COMMAND (sh -c) inside the lab
#   run.sh --fetch              only download and unpack the packages
#
# In COMMAND's environment:
#   LAB_MOUNT_A, LAB_MOUNT_B    the same export, mounted by two NFS clients
#                               (own network namespace, IP, hostname, NFSv4 clientid, page/attr cache)
#   LAB_SERVER_DIR              the exported directory as the server's root sees it
#   LAB_KIND=uml LAB_VERS LAB_MOUNT_OPTS
#   TMPDIR=/run/tmp             a tmpfs (local, not NFS)
#   lab-ctl                     on PATH (root): cut|heal A|B (a client's network), server-stop, server-start,
#                               remount A|B [OPTS], mount A|B DIR [OPTS], drop-caches
#
# Settings (environment of run.sh):
#   LAB_VERS=4.2        4.2 | 4.1 | 4.0 | 3
#   LAB_MOUNT_OPTS=     extra mount options for both (e.g. actimeo=0, noac, lookupcache=none, soft,timeo=10,retrans=1)
#   LAB_MOUNT_OPTS_A= LAB_MOUNT_OPTS_B=   extra options for one client
#   LAB_EXPORT_OPTS=rw,sync,no_subtree_check,root_squash
#   LAB_MANAGE_GIDS=n   y: the server ignores the client's group list and looks groups up in its own /etc/group
#                       (Debian's packaged default for rpc.mountd)
#   LAB_RW=             colon-separated host directories COMMAND may write through to;
#                       everything else on the host is visible read-only (writes go to a RAM overlay and vanish)
#   LAB_USER=0:0        uid:gid (no other groups) COMMAND runs as
#   LAB_GROUPS=         comma-separated supplementary gids for COMMAND
#   LAB_MEM=1500M       UML memory        LAB_DISK=2G  size of the exported ext4
#   LAB_TIMEOUT=900     seconds until the lab is killed (exit 124)
#   LAB_TTY=            1: COMMAND gets this terminal as /dev/tty1 (try: LAB_TTY=1 run.sh bash)
#   LAB_VERBOSE=        1: print set-up times and the kernel log on stderr
#   LAB_CACHE=          where the unpacked packages live (default: nfs-lab under $XDG_CACHE_HOME or ~/.cache)
#
# What it is not: several machines. One kernel serves and mounts (init.sh keeps the two clients' caches, locks and
# identities apart), latency is about 0.1 ms, and there is no Kerberos. amd64 only; tried with Debian 12. It needs
# ptrace of its own children and a temporary folder without noexec. COMMAND is trusted: as root it has root's rights.
#
# Exit status: COMMAND's; 124 timed out; 125 the lab itself failed (kernel log on stderr).
#
# Debian packages (downloaded with `apt-get download` and unpacked under LAB_CACHE; NOT installed, because
# installing nfs-kernel-server/rpcbind would start daemons on the host, and because this way root is not needed):
PACKAGES="user-mode-linux nfs-kernel-server nfs-common rpcbind libnfsidmap1 libwrap0 busybox-static
 libtirpc3 libtirpc-common libevent-core-2.1-7 libkeyutils1 libdevmapper1.02.1 libcap2 iproute2 libbpf1 libelf1 libsqlite3-0 libmnl0 libxtables12"
# From the host: bash coreutils util-linux e2fsprogs (mke2fs) apt dpkg python3 -- all seen through hostfs.
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
CACHE=${LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nfs-lab}
ROOT=$CACHE/root
t0=$(date +%s.%N)
say() { [ -z "${LAB_VERBOSE:-}" ] || printf 'lab: [%5.2f] %s\n' "$(echo "$(date +%s.%N) $t0" | awk '{print $1-$2}')" "$*" >&2; }
die() { echo "lab: $*" >&2; exit 125; }

# ---- 1. packages -------------------------------------------------------------------------------
fetch() {
	[ -e "$CACHE/.ok" ] && [ "$(cat "$CACHE/.ok")" = "$PACKAGES" ] && return 0
	mkdir -p "$CACHE" || return 1
	(
		flock 9
		[ -e "$CACHE/.ok" ] && [ "$(cat "$CACHE/.ok")" = "$PACKAGES" ] && exit 0
		rm -rf "$CACHE/debs" "$CACHE/root.new" "$ROOT" "$CACHE/.ok"
		mkdir -p "$CACHE/debs" "$CACHE/root.new"
		cd "$CACHE/debs" || exit 1
		get() { apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$@" 1>&2; }
		t64() { for p in $PACKAGES; do apt-cache show "$p" > /dev/null 2>&1 && echo "$p" || echo "${p}t64"; done; }  # newer Debian and Ubuntu
		# shellcheck disable=SC2046,SC2086
		get $PACKAGES 2> err || get $(t64) || { cat err >&2; [ "$(id -u)" = 0 ] && apt-get -qq update 1>&2 && get $(t64); } || exit 1
		rm -f err
		for d in *.deb; do dpkg-deb -x "$d" "$CACHE/root.new" || exit 1; done
		# keep the modules the lab needs, in load order; drop the other 900
		mods=$(echo "$CACHE"/root.new/usr/lib/uml/modules/*/)
		awk -F': *' '
			{ n=$1; sub(/.*\//,"",n); sub(/\.ko.*/,"",n); path[n]=$1; dep[n]=$2 }
			function add(n,  a,i,c,m) { if (n in done) return; done[n]=1; c=split(dep[n],a," ")
				for (i=c;i>0;i--) { m=a[i]; sub(/.*\//,"",m); sub(/\.ko.*/,"",m); add(m) } print path[n] }
			END { add("overlay"); add("veth"); add("nfsd"); add("nfsv3"); add("nfsv4") }' \
			"$mods/modules.dep" > "$CACHE/root.new/modlist"
		mkdir "$CACHE/root.new/mod"
		: > "$CACHE/root.new/modlist.abs"
		while read -r m; do cp "$mods/$m" "$CACHE/root.new/mod/" && echo "mod/${m##*/}" >> "$CACHE/root.new/modlist.abs"; done < "$CACHE/root.new/modlist"
		mv "$CACHE/root.new/modlist.abs" "$CACHE/root.new/modlist"
		rm -rf "$CACHE/root.new/usr/lib/uml" "$CACHE/root.new/usr/share" "$CACHE/debs"
		mv "$CACHE/root.new" "$ROOT" && printf %s "$PACKAGES" > "$CACHE/.ok"
	) 9> "$CACHE/.lock"
}
command -v mke2fs >/dev/null || PATH=$PATH:/usr/sbin:/sbin
for c in apt-get dpkg-deb mke2fs awk flock setsid; do command -v $c >/dev/null || die "needs $c (apt-get install -y apt dpkg e2fsprogs mawk util-linux)"; done
fetch || die "could not fetch the packages: $PACKAGES"
[ "${1:-}" = --fetch ] && exit 0
[ $# -eq 1 ] || { sed -n '2,/^# Debian/p' "$0" >&2; exit 125; }
say "packages ready"

# ---- 2. state ----------------------------------------------------------------------------------
pick() { # a tmpfs directory that allows exec mappings, with room; else /tmp
	for d in "${LAB_TMP:-}" /dev/shm "${XDG_RUNTIME_DIR:-}" "${TMPDIR:-/tmp}" /tmp; do
		[ -n "$d" ] && [ -d "$d" ] && [ -w "$d" ] || continue
		case ",$(findmnt -nro OPTIONS -T "$d")," in *,noexec,*) continue;; esac
		[ "$(df -Pk "$d" | awk 'NR==2{print $4}')" -gt 1600000 ] && { echo "$d"; return; }
	done
	echo /tmp
}
BASE=$(pick)
STATE=$(mktemp -d "$BASE/nfs-lab.XXXXXX") || die "no state directory"
UMLPID=
cleanup() {
	trap - EXIT INT TERM HUP
	if [ -n "$UMLPID" ]; then
		kill -TERM "$UMLPID" 2>/dev/null && sleep 0.2
		kill -KILL -- "-$UMLPID" 2>/dev/null    # its own process group (setsid): only processes started here
	fi
	rm -rf "$STATE"
}
trap cleanup EXIT
trap 'exit 130' INT; trap 'exit 143' TERM; trap 'exit 129' HUP

truncate -s "${LAB_DISK:-2G}" "$STATE/disk" &&
	mke2fs -q -F -t ext4 -O ^has_journal -E lazy_itable_init=1,root_owner=0:0 "$STATE/disk" || die "mke2fs failed"
sh -c 'export -p' | grep -vE '^export (LAB_|TMPDIR=|SHLVL=|_=)' > "$STATE/env"
q() { printf "%s='%s'\n" "$1" "$(printf %s "$2" | sed "s/'/'\\\\''/g")"; }
{
	q ROOT "$ROOT"; q CWD "$PWD"; q COMMAND "$1"
	q VERS "${LAB_VERS:-4.2}"; q OPTS "${LAB_MOUNT_OPTS:-}"; q OPTS_A "${LAB_MOUNT_OPTS_A:-}"; q OPTS_B "${LAB_MOUNT_OPTS_B:-}"
	q EXPORT_OPTS "${LAB_EXPORT_OPTS:-rw,sync,no_subtree_check,root_squash}"
	q HOME_ "${HOME:-/}"; q VENV "${VIRTUAL_ENV:-}"; q PYBASE "$(python3 -c 'import sys; print(sys.base_prefix)' 2>/dev/null)"
	q TTY "${LAB_TTY:-}"; q WINSIZE "$([ -z "${LAB_TTY:-}" ] || stty size 2>/dev/null)"; q MANAGE_GIDS "${LAB_MANAGE_GIDS:-n}"; q RW "${LAB_RW:-}"; q RUNAS "${LAB_USER:-0:0}"; q GROUPS_ "${LAB_GROUPS:-}"
} > "$STATE/config"
say "state in $STATE"

# ---- 3. boot -----------------------------------------------------------------------------------
# COMMAND's stdout and stderr leave through two UML serial lines (fd 3 and 4). They are piped through cat because
# UML makes its descriptors non-blocking, which must not happen to the caller's.
exec 3> >(exec cat) ; OUT=$!
exec 4> >(exec cat >&2) ; ERR=$!
if [ -n "${LAB_TTY:-}" ]; then exec 5<&0; CON="con1=fd:5,fd:6"; exec 6>&1; else exec 5< /dev/null 6>&2; CON=; fi
TMPDIR=$BASE HOME=$STATE setsid "$ROOT/usr/bin/linux.uml" mem="${LAB_MEM:-1500M}" uml_dir="$STATE/" umid=uml \
	rootfstype=hostfs rootflags=/ ro "init=$HERE/init.sh" LAB_STATE="$STATE" selinux=0 loglevel=4 panic=-1 \
	ubd0="$STATE/disk" con=null con0=null,fd:1 ssl=null ssl1=null,fd:3 ssl2=null,fd:4 $CON \
	< /dev/null > "$STATE/console" 2>&1 &
UMLPID=$!
exec 3>&- 4>&- 5<&- 6>&-
limit=$(( $(date +%s) + ${LAB_TIMEOUT:-900} ))
( while kill -0 $UMLPID 2>/dev/null; do [ "$(date +%s)" -lt $limit ] || { : > "$STATE/timeout"; kill -TERM $UMLPID; sleep 1; kill -KILL -- -$UMLPID; exit; }; sleep 0.25; done ) 2>/dev/null &
WATCH=$!
wait $UMLPID 2>/dev/null
kill $WATCH 2>/dev/null; wait $WATCH 2>/dev/null
wait $OUT $ERR 2>/dev/null
[ -z "${LAB_VERBOSE:-}" ] || { sed 's/^/lab: /' "$STATE/times"; say "halted"; } >&2 2>/dev/null
if [ -e "$STATE/timeout" ]; then echo "lab: timed out" >&2; exit 124; fi
if [ -s "$STATE/rc" ]; then
	rc=$(cat "$STATE/rc")
else
	rc=125; echo "lab: failed before COMMAND ended; console and log follow" >&2; tail -n 60 "$STATE/console" "$STATE/log" >&2 2>/dev/null
fi
exit "$rc"
