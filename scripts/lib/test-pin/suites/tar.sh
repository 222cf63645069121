#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# Creates, appends to, compares and extracts archives.
set -eu

mkdir -p from/deep to
echo content >from/file
printf '%s\n' '#!/bin/sh' >from/program
chmod 750 from/program
ln from/file from/hard
ln -s file from/soft
mkfifo from/fifo
truncate -s 8M from/sparse
echo end >>from/sparse
seq 20000 >from/deep/many
touch -d '2020-01-01' from/* from/deep/*

tar() { command tar --sort=name "$@"; }
for way in '' z J j; do
    step "create $way" tar "-c${way}f" "archive$way" from
    step "list $way" tar "-t${way}vf" "archive$way"
    step "compare $way" sh -c "tar -d${way}f archive$way"
    mkdir "to/$way-"
    step "extract $way" command tar "-x${way}f" "archive$way" -C "to/$way-"
    step "files $way" files "to/$way-"
done
step 'create, sparse' tar -cSf sparse from/sparse
step 'its size' sh -c 'stat -c %s sparse'
step append tar -rf archive from/file
step update sh -c 'touch -d 2021-01-01 from/file && tar -uf archive from/file && tar -tf archive'
step delete tar -f archive --delete from/fifo
step 'to /dev/stdout' sh -c 'tar -cf /dev/stdout from/deep | tar -tf /dev/stdin'
step 'to /dev/fd/3' sh -c 'tar -cf /dev/fd/3 from/deep 3>third && tar -tf third'
step overwrite tar -xf archivez -C to --overwrite
step 'overwrite again' tar -xf archivez -C to --overwrite
step 'keep old' tar -xf archivez -C to --skip-old-files
step 'unlink first' tar -xf archivez -C to --unlink-first --recursive-unlink
step 'incremental' sh -c 'tar -cg snapshot -f 0 from && echo new >from/new &&
    tar -cg snapshot -f 1 from && tar -tf 1'
step 'many volumes' sh -c 'tar -cM -L 64 -f v1 -f v2 -f v3 -f v4 -f v5 from/deep && tar -tM -f v1 -f v2 -f v3 -f v4 -f v5'
step remove sh -c 'tar -cf gone --remove-files from/deep && ls from'
step 'files' files to
