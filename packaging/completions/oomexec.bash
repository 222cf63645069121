# Completes oomexec in bash: its own options, then those of the command.
# Needs bash-completion.
# shellcheck shell=bash

_oomexec_processes()
{
    # shellcheck disable=SC2207 # words without a space
    COMPREPLY=($(compgen -W "$* $(command ps -A -o pid=)" -- "${cur#=}"))
}

_oomexec()
{
    # shellcheck disable=SC2034
    local cur prev words cword # of _init_completion
    _init_completion || return

    # Of COMP_WORDS, in which `--adjust=5` is three words: _command_offset counts so too.
    local i=1 word
    while ((i < COMP_CWORD)); do
        word=${COMP_WORDS[i]}
        case $word in
            --)
                ((i++))
                break
                ;;
            -n | --adjust | -a | --argv0 | -p | --pid)
                [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
                if ((i + 1 >= COMP_CWORD)); then
                    [[ $word != -p && $word != --pid ]] || _oomexec_processes self
                    return
                fi
                ((i += 2))
                ;;
            --pin)
                ((i++))
                [[ ${COMP_WORDS[i]} == = ]] || continue
                if ((i + 1 >= COMP_CWORD)); then
                    # shellcheck disable=SC2207
                    COMPREPLY=($(compgen -W write -- "${cur#=}"))
                    return
                fi
                ((i += 2))
                ;;
            --check)
                _oomexec_processes
                return
                ;;
            -h | --help | -V | --version) return ;;
            -*) ((i++)) ;;
            *) break ;;
        esac
    done

    if [[ $cur == -* && $i -eq $COMP_CWORD && ${COMP_WORDS[i - 1]} != -- ]]; then
        # shellcheck disable=SC2207
        COMPREPLY=($(compgen -W '-n --adjust -a --argv0 --pin --pin=write -p --pid
            --check -h --help -V --version' -- "$cur"))
    else
        _command_offset "$i"
    fi
} &&
    complete -F _oomexec oomexec
