#!/bin/sh
# PID 1 of the UML lab kernel; started by run.sh, never by hand.
# Stage 1 runs on the read-only hostfs root; stage 2 on a RAM overlay over it.
if [ -z "$STAGE" ]; then
	mount -t proc proc /proc          # before any busybox applet: busybox re-executes /proc/self/exe
	mount -t tmpfs tmpfs /run
	mkdir /run/lab
	mount -t hostfs none /run/lab -o "$LAB_STATE"
	. /run/lab/config
	STAGE=2 exec "$ROOT/bin/busybox" sh "$0"
fi
exec < /dev/null > /run/lab/log 2>&1
. /run/lab/config
up() { read -r u _ < /proc/uptime; echo "[$u] $*" >> /run/lab/times; }
fail() { echo "init: $*"; dmesg | tail -40; sync; poweroff -n -f; }
up "kernel booted, init running"

# ---- modules, root overlay
while read -r m; do insmod "$ROOT/$m" || fail "insmod $m"; done < "$ROOT/modlist"
up "modules loaded"
mkdir /run/ovl
mount -t tmpfs -o mode=755,size=80% tmpfs /run/ovl
mkdir /run/ovl/up /run/ovl/work /run/ovl/root
mount -t overlay -o lowerdir=/,upperdir=/run/ovl/up,workdir=/run/ovl/work overlay /run/ovl/root || fail overlay
N=/run/ovl/root
mount -t proc proc $N/proc
mount -t sysfs sysfs $N/sys
mount --move /dev $N/dev 2>/dev/null || mount -t devtmpfs dev $N/dev
mkdir -p $N/dev/pts $N/dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts $N/dev/pts
mount -t tmpfs -o mode=1777 tmpfs $N/dev/shm
ln -sf /proc/self/fd $N/dev/fd; ln -sf fd/0 $N/dev/stdin; ln -sf fd/1 $N/dev/stdout; ln -sf fd/2 $N/dev/stderr; ln -sf pts/ptmx $N/dev/ptmx
mount -t tmpfs -o mode=755 tmpfs $N/run
mkdir $N/run/lab $N/run/old $N/run/netns $N/run/lock
mount -t hostfs none $N/run/lab -o "$LAB_STATE"
mkdir -p $N/mnt/nfs-a $N/mnt/nfs-b $N/srv/nfs-lab
# other users must be able to reach the interpreter and the sources, e.g. under a 0700 /root: change that in the overlay only
for d in /root "$HOME_" "$CWD" "$VENV" "$PYBASE"; do
	while [ -n "$d" ] && [ "$d" != / ]; do [ -x "$N$d" ] && case $(stat -c %a "$N$d") in *[0246]) chmod o+x "$N$d" 2>/dev/null;; esac; d=${d%/*}; done
done
# host directories that are to be written through; after the chmod, which must not reach the host
oldifs=$IFS; IFS=:
for d in $RW; do [ -d "$N$d" ] || mkdir -p "$N$d"; mount -t hostfs none "$N$d" -o "$d" || fail "LAB_RW $d"; done
IFS=$oldifs
cd $N && pivot_root . run/old && umount -l /run/old || fail pivot_root
export PATH="$PATH:/usr/sbin:/sbin:$ROOT/usr/sbin:$ROOT/sbin" LD_LIBRARY_PATH=$ROOT/usr/lib/x86_64-linux-gnu:$ROOT/lib/x86_64-linux-gnu:$ROOT/lib
IP=$ROOT/bin/ip; [ -x "$IP" ] || IP=$ROOT/sbin/ip
up "root overlay"

# ---- network: the server in the first namespace, clients A and B in their own.  The server has one address per
# client (10.99.1.1, 10.99.2.1): lockd's list of blocked NLM locks is global to a kernel and matched by server
# address, file handle and range, so with one address A's GRANTED callback could also grant B's waiting lock.
hostname nfs-lab-server
mkdir -p /var/lib/nfs; mount -t tmpfs -o mode=755 tmpfs /var/lib/nfs
mkdir /var/lib/nfs/v4recovery /var/lib/nfs/sm /var/lib/nfs/sm.bak /var/lib/nfs/rpc_pipefs /var/lib/nfs/nfsdcld
: > /var/lib/nfs/etab; : > /var/lib/nfs/rmtab
mount -t rpc_pipefs rpc_pipefs /var/lib/nfs/rpc_pipefs
nfsdcld -F -p /var/lib/nfs/rpc_pipefs &   # client tracking; early, for nfsd waits 1 s for it and it needs a moment
( : > /run/netns/A; : > /run/netns/B
  unshare --net="/run/netns/A" true; unshare --net="/run/netns/B" true )
cat > /run/net <<X
link set lo up
link add vA type veth peer name eth0 netns A
link add vB type veth peer name eth0 netns B
addr add 10.99.1.1/24 dev vA
addr add 10.99.2.1/24 dev vB
link set vA up
link set vB up
X
$IP -batch /run/net || fail net
for c in A:1 B:2; do
	printf 'link set lo up\naddr add 10.99.%s.2/24 dev eth0\nlink set eth0 up\n' ${c#*:} > /run/net.${c%:*}
	nsenter --net=/run/netns/${c%:*} $IP -batch /run/net.${c%:*} || fail net ${c%:*}
done
up "network"

# ---- server
sed -i '/6/d' /etc/netconfig 2>/dev/null || printf 'udp tpi_clts v inet udp - -\ntcp tpi_cots_ord v inet tcp - -\nlocal tpi_cots_ord - loopback - - -\n' > /etc/netconfig
mount -t ext4 -o noatime /dev/ubda /srv/nfs-lab || fail "mount export"
rmdir /srv/nfs-lab/lost+found; chmod 1777 /srv/nfs-lab
rm -rf /etc/nfs.conf.d /etc/exports.d /etc/nfsmount.conf /etc/nfsmount.conf.d
printf '[mountd]\nmanage-gids=%s\n' "$MANAGE_GIDS" > /etc/nfs.conf   # Debian's packaged default is y
echo "/srv/nfs-lab *(fsid=0,insecure,$EXPORT_OPTS)" > /etc/exports
mount -t nfsd nfsd /proc/fs/nfsd || fail nfsd
echo 10 > /proc/fs/nfsd/nfsv4leasetime; echo 10 > /proc/fs/nfsd/nfsv4gracetime
if [ "$VERS" = 3 ]; then
	# Debian's rpcbind exits without this user, whom only an installed package makes; here it exists in the overlay alone
	grep -q '^_rpc:' /etc/passwd || echo '_rpc:x:64999:65534::/run/rpcbind:/usr/sbin/nologin' >> /etc/passwd
	for n in A B; do  # NFSv3 locking needs a portmapper and a statd per client host; private /run keeps their sockets apart
		nsenter --net=/run/netns/$n unshare -m -u sh -c "hostname nfs-lab-client-$n; mount -t tmpfs t /run; mount -t tmpfs t /var/lib/nfs; mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak; rpcbind -w; rpc.statd --no-notify" || fail statd $n
	done
	unshare -m sh -c "mount -t tmpfs t /run; rpcbind -w; rpc.statd --no-notify"
	up "rpcbind, statd"
fi
exportfs -ra || fail exportfs
if [ "$VERS" = 3 ]; then rpc.nfsd -N 4 4 || fail rpc.nfsd; else rpc.nfsd -N 3 4 || fail rpc.nfsd; fi
if [ "$VERS" = 3 ]; then rpc.mountd || fail rpc.mountd; else rpc.mountd -N 2 -N 3 || fail rpc.mountd; fi
echo Y > /proc/fs/nfsd/v4_end_grace; [ ! -e /proc/fs/lockd/nlm_end_grace ] || echo Y > /proc/fs/lockd/nlm_end_grace
up "server"

# ---- clients
case $VERS in 3) src=/srv/nfs-lab;; *) src=/;; esac
ip_of() { case $1 in A) echo 10.99.1.1;; B) echo 10.99.2.1;; esac; }
[ ! -e /sys/module/nfs/parameters/localio_enabled ] || echo N > /sys/module/nfs/parameters/localio_enabled   # Linux >= 6.12 would bypass the server
cmount() { nsenter --net=/run/netns/$1 unshare -u sh -c "hostname nfs-lab-client-$1; exec mount.nfs $(ip_of $1):$src /mnt/nfs-$2 -o vers=$VERS,nosharecache${OPTS:+,$OPTS}${3:+,$3}" || fail "mount $1"; }
cmount A a "$OPTS_A"; cmount B b "$OPTS_B"
up "clients"

# ---- lab-ctl: faults and more mounts, for COMMAND (root only)
mkdir /run/bin
{ echo '#!/bin/sh'; echo "LD_LIBRARY_PATH=$LD_LIBRARY_PATH; export LD_LIBRARY_PATH; PATH=$ROOT/sbin:$ROOT/usr/sbin:$PATH; IP=$IP V=$VERS SRC=$src OPTS=${OPTS:+,$OPTS}"; cat <<'X'
ns() { n=$1; shift; /usr/bin/nsenter --net=/run/netns/$n "$@"; }
lower() { echo "$1" | tr AB ab; }
case "$1" in
cut)    exec $IP link set v$2 down;;                       # client $2 (A or B) loses its network
heal)   exec $IP link set v$2 up;;
mount)  n=$2 d=$3; shift 3                                 # lab-ctl mount A /some/dir [opts]: one more mount by client A
	exec /usr/bin/nsenter --net=/run/netns/$n /usr/bin/unshare -u sh -c "hostname nfs-lab-client-$n; exec mount.nfs 10.99.$(echo $n | tr AB 12).1:$SRC $d -o vers=$V,nosharecache$OPTS${1:+,$1}";;
remount) umount /mnt/nfs-$(lower $2) && exec "$0" mount $2 /mnt/nfs-$(lower $2) "$3";;    # empty caches, optionally other options
server-stop)  echo 0 > /proc/fs/nfsd/threads;;
server-start) case $V in 3) rpc.nfsd -N 4 4;; *) rpc.nfsd -N 3 4;; esac;;   # then a grace period: clients reclaim their locks
drop-caches)  echo 3 > /proc/sys/vm/drop_caches;;          # dentries, inodes and pages of every file system
*) echo "lab-ctl cut|heal A|B, mount A|B DIR [OPTS], remount A|B [OPTS], server-stop, server-start, drop-caches" >&2; exit 2;;
esac
X
} > /run/bin/lab-ctl
chmod 755 /run/bin/lab-ctl

# ---- COMMAND
mkdir -m 1777 /run/tmp; mount -t tmpfs -o mode=1777 tmpfs /run/tmp
cat > /run/command.sh <<'X'
. /run/lab/env
. /run/lab/config
unset LD_LIBRARY_PATH STAGE
export PATH="$PATH:/usr/sbin:/sbin:/run/bin" TMPDIR=/run/tmp LAB_KIND=uml LAB_VERS="$VERS" LAB_MOUNT_OPTS="$OPTS" LAB_MOUNT_A=/mnt/nfs-a LAB_MOUNT_B=/mnt/nfs-b LAB_SERVER_DIR=/srv/nfs-lab
cd "$CWD" 2>/dev/null || cd /
set -- /bin/sh -c "$COMMAND"
if [ "$RUNAS" != 0:0 ] || [ -n "$GROUPS_" ]; then
	if [ -n "$GROUPS_" ]; then set -- --groups "$GROUPS_" "$@"; else set -- --clear-groups "$@"; fi
	set -- setpriv --reuid "${RUNAS%:*}" --regid "${RUNAS#*:}" "$@"
fi
exec "$@"
X
if [ -n "$TTY" ]; then
	up "COMMAND starts"
	[ -z "$WINSIZE" ] || stty -F /dev/tty1 rows ${WINSIZE% *} cols ${WINSIZE#* }
	setsid sh -c 'exec /bin/sh /run/command.sh' < /dev/tty1 > /dev/tty1 2>&1; echo $? > /run/rc
else
	stty -F /dev/ttyS1 raw -echo; stty -F /dev/ttyS2 raw -echo
	exec 8> /dev/ttyS1 9> /dev/ttyS2
	mkfifo /run/out /run/err
	cat < /run/out >&8 & c1=$!
	cat < /run/err >&9 & c2=$!
	up "COMMAND starts"
	/bin/sh /run/command.sh > /run/out 2> /run/err 8>&- 9>&-; echo $? > /run/rc
	up "COMMAND ended"
	{ sleep 2; kill $c1 $c2; } 2>/dev/null & wait $c1 $c2    # 2 s: something COMMAND left running may hold them open
	stty -F /dev/ttyS1 raw; stty -F /dev/ttyS2 raw     # TCSADRAIN: wait until the host has it all
fi
IFS=:; for d in $RW; do umount -l "$d"; done
cp /run/rc /run/lab/rc
sync -f /run/lab/rc 2>/dev/null || sync
umount /run/lab
poweroff -n -f
