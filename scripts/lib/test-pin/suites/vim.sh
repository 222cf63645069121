#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# Edits files, with backups, undo files and swap files.
set -eu

vim() { command vim -u NONE -i NONE -es "$@"; }
seq 10 >file
step edit vim -c '%s/1/one/' -c 'normal Gofrom vim' -c 'wq' file
step 'in place' vim -c 'set backupcopy=yes backup backupext=.bak' -c '2d' -c 'wq' file
step 'a new file' vim -c 'set backupcopy=no patchmode=.orig' -c '2d' -c 'wq' file
step 'no backup' vim -c 'set nowritebackup nobackup' -c '2d' -c 'wq' file
step 'undo file' vim -c 'set undofile undodir=.' -c '1d' -c 'wq' file
step 'undo again' vim -c 'set undofile undodir=.' -c 'undo' -c 'wq' file
step append vim -c 'w! >> log' -c 'w >> log' -c 'q' file
step 'a part' vim -c '2,3w! part' -c 'q' file
step filter vim -c '%!sort -r' -c 'wq' file
step 'read a command' vim -c 'r !echo from a shell' -c 'wq' file
step 'to a command' vim -c 'w !cat' -c 'q' file
step shell vim -c '!echo shell' -c 'q' file
step 'to /dev/stdout' vim -c 'w! /dev/stdout' -c 'q!' file
step stdin sh -c 'echo piped | command vim -u NONE -es -c "w! read" -c "q!" -'
step 'a swap file' sh -c 'command vim -u NONE -es -c "set directory=. updatecount=1" \
        -c "normal olost" -c "preserve" -c "call system(\"kill -9 \" . getpid())" file; ls -A | grep swp'
step recover vim -r -c 'set directory=.' -c 'w! recovered' -c 'q!' file
step encrypted sh -c 'command vim -u NONE -es -c "set fileencoding=utf-16" -c "w! wide" -c "q!" file; wc -c wide'
step files files file log part read recovered wide
