#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# What the man page says that a pin takes away. $BYSTANDER is a process of the same user that
# is not pinned.
set -eu

step 'no_new_privs' grep NoNewPrivs /proc/self/status
step 'unshare -r' unshare --user --map-root-user true
step 'unshare -r, mount' unshare --user --map-root-user --mount mount -t tmpfs tmpfs /mnt
step bwrap bwrap --ro-bind / / true
step 'sysctl -w' unshare --uts sh -c '/sbin/sysctl -w kernel.domainname=oomexec'
step 'comm >' sh -c 'echo name >/proc/self/comm'
step 'comm >>' sh -c 'echo name >>/proc/self/comm'
step 'coredump_filter >' sh -c 'echo 0x33 >/proc/self/coredump_filter'
step 'coredump_filter >>' sh -c 'echo 0x33 >>/proc/self/coredump_filter'
step 'clear_refs >' sh -c 'echo 5 >/proc/self/clear_refs'
step 'clear_refs >>' sh -c 'echo 5 >>/proc/self/clear_refs'
step 'name a thread' /usr/bin/python3 -c 'import ctypes, threading
thread = threading.Thread(target=threading.Event().wait, daemon=True)
thread.start()
print(ctypes.CDLL("libc.so.6").pthread_setname_np(ctypes.c_ulong(thread.ident), b"name"))'
step 'message queue' /usr/bin/python3 -c 'import ctypes, os
libc = ctypes.CDLL("libc.so.6", use_errno=True)
name = b"/oomexec-test-%d" % os.getpid()
print(libc.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, None) >= 0)
libc.mq_unlink(name)'
for name in exe cwd root fd/0 ns/pid; do
    step "$name of another" sh -c "readlink /proc/$BYSTANDER/$name >/dev/null"
done
for name in environ maps io; do
    step "$name of another" sh -c "head -c 1 /proc/$BYSTANDER/$name >/dev/null"
done
step 'status of another' grep -q State "/proc/$BYSTANDER/status"
step 'kill -0' kill -0 "$BYSTANDER"
step lsof sh -c 'lsof -a -nP -p $BYSTANDER -iTCP | grep -o LISTEN'
step 'ss -p' sh -c 'ss -Hltnp | grep -o pid=$BYSTANDER,'
step 'strace -p' sh -c 'timeout -s INT 5 strace -o trace -p $BYSTANDER 2>&1 | grep -o attached'
step 'gdb -p' sh -c 'gdb -nx -batch -p $BYSTANDER 2>&1 | grep -o detached'
# It works: see the suite `shell`.
step 'gdb' sh -c "gdb -nx -batch -ex run /bin/true 2>&1 | grep -o 'warning: .*: Permission denied' | sed 's/lwp [0-9.]*/lwp/'"
