#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# Redirections of each kind, by their names in /dev and /proc too; and a compiler.
set -eu

cat >script <<'END'
echo 1 >file; echo 2 >>file; cat <file; : >file; cat file; echo 3 >|file; cat file
exec 3<>file; read line <&3; echo "$line"; echo 4 >&3; exec 3>&-; cat file
echo out >/dev/stdout; echo err >/dev/stderr; echo null >/dev/null
echo fd >/dev/fd/1; echo proc >/proc/self/fd/1; echo again >>/dev/stdout
exec 4>fourth; echo 5 >/dev/fd/4; echo 6 >/proc/self/fd/4; exec 4>&-; cat fourth
echo pipe | cat >/dev/stdout | cat; echo tee | tee copy /dev/stderr; cat copy
cat <<HERE
here
HERE
tmp=$(mktemp -p .); echo x >"$tmp"; cat "$tmp"; dir=$(mktemp -d -p .); : >"$dir/y"; rm -r "$tmp" "$dir"
mkfifo fifo; echo through >fifo & cat fifo; wait; rm fifo
sleep 60 & kill $!; wait $! 2>/dev/null; echo $?
(ulimit -n 20; cat file); nice cat file; timeout 60 cat file; seq 3 | xargs -P 2 -n 1 echo | sort
END
for shell in dash bash; do
    mkdir $shell
    step "$shell" sh -c "cd $shell && $shell ../script"
done
step 'process substitution' bash -c 'cat <(echo 1) <(echo 2); echo 3 | tee >(cat >third) >/dev/null; sleep 1; cat third'
step 'bash, coproc' bash -c 'coproc cat; echo 1 >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"'
step 'a terminal' script -qec 'tty | sed s/[0-9]//; echo typed >/dev/tty; echo out >/dev/stdout' /dev/null
printf 'int printf(const char *, ...); int main(void) { return printf("built\\n") != 6; }\n' >built.c
step compile cc -O2 -o built built.c
step run ./built
step 'debug a child' sh -c 'strace -f -o trace -e trace=write ./built; grep -c built trace'
step 'debug a child, gdb' sh -c "gdb -nx -batch -ex 'break printf' -ex run -ex bt -ex continue ./built 2>/dev/null |
    sed 's/process [0-9]*/process/; s/0x[0-9a-f]*/address/'"
step 'look into a child' sh -c 'sleep 60 & for name in exe cwd environ maps io ns/pid fd/0; do
        [ -r /proc/$!/$name ] && echo $name; done; kill $!'
step processes sh -c 'ps -o comm= -p $$; pgrep -x no-such-process; nproc >/dev/null; uptime >/dev/null'
step files files file third bash dash
