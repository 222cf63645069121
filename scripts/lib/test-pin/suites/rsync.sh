#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# Copies trees, in place and beside, over pipes and from a daemon's modules.
set -eu

mkdir -p from/deep
seq 50000 >from/many
echo content >from/deep/file
ln from/many from/hard
ln -s many from/soft
truncate -s 4M from/sparse
echo end >>from/sparse
chmod 600 from/deep/file
touch -d 2020-01-01 from/* from/deep/*

step copy rsync -OaHi from/ copy
step 'nothing to do' rsync -OaHi from/ copy
echo more >>from/many
step 'the difference alone' rsync -OaHi --no-whole-file from/ copy
echo more >>from/many
step 'in place' rsync -OaHi --inplace --no-whole-file from/ copy
echo more >>from/many
step append rsync -OaHi --append-verify from/ copy
step sparse rsync -Oai --sparse from/sparse sparse
step 'link to a copy' rsync -OaHi --link-dest="$PWD/copy" from/ linked
rm from/soft
step delete rsync -OaHi --delete from/ copy
step backup sh -c 'echo changed >from/deep/file && rsync -Oai --backup --suffix=.old from/ copy'
step 'partial directory' rsync -Oai --partial-dir=.part from/ part
step 'remove sources' sh -c 'rsync -Oai --remove-source-files part/ moved && find part -type f'
printf '#!/bin/sh\nshift\nexec sh -c "$*"\n' >remote
chmod +x remote
step 'to a remote shell' rsync -OaHi -e "$PWD/remote" from/ "host:$PWD/remote-copy"
step 'from a remote shell' rsync -OaHi -e "$PWD/remote" "host:$PWD/from/" fetched
{
    [ "$(id -u)" != 0 ] || printf 'uid = root\ngid = root\n'
    printf 'use chroot = no\n[here]\npath = %s\n' "$PWD/from"
} >rsyncd.conf
# One connection each, over a pipe instead of a socket.
printf '#!/bin/sh\nexec rsync --server --daemon --config="$HOME/rsyncd.conf" .\n' >daemon
chmod +x daemon
step 'from a daemon' rsync -OaHi -e "$PWD/daemon" host::here/ from-daemon
step batch sh -c 'rsync -Oai --write-batch=batch from/ batch-copy && rsync -Oai --read-batch=batch other-copy'
step files files copy sparse linked moved remote-copy fetched from-daemon other-copy
