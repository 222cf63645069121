# Completes oomexec in fish: its own options, then those of the command.

# What comes behind oomexec's own options; fails where that is nothing yet.
function __oomexec_command
    set -l words (commandline -opc) (commandline -ct)
    argparse --stop-nonopt n/adjust= a/argv0= 'pin=?' p/pid= check h/help V/version -- $words[2..] 2>/dev/null
    or return
    test (count $argv) -gt 0
    # Before it is ended by a space, `-` may still become an option of oomexec's own.
    and not string match -q -- '-*' $argv[1]
    and string join0 -- $argv
end

function __oomexec_no_command
    # Of the words that are there in full, none is the command's, nor `--`.
    set -l words (commandline -opc)
    argparse --stop-nonopt n/adjust= a/argv0= 'pin=?' p/pid= check h/help V/version -- $words[2..] 2>/dev/null
    test (count $argv) -eq 0
    and not contains -- -- $words
end

function __oomexec_check
    string match -q -- --check (commandline -opc)[2]
end

complete -c oomexec -f
complete -c oomexec -n __oomexec_check -x -a '(__fish_complete_pids)'
complete -c oomexec -n __oomexec_no_command -s n -l adjust -x -d 'Its oom_score_adj, -1000 to 1000'
complete -c oomexec -n __oomexec_no_command -s a -l argv0 -x -d 'Its argv[0]'
complete -c oomexec -n __oomexec_no_command -l pin -a write -d 'Stop programs that reset their score'
complete -c oomexec -n __oomexec_no_command -s p -l pid -x -a 'self (__fish_complete_pids)' -d 'Print or set the score of a process'
complete -c oomexec -n __oomexec_no_command -l check -d 'Tell whether the gateway would survive'
complete -c oomexec -n __oomexec_no_command -s h -l help -d 'Print a summary'
complete -c oomexec -n __oomexec_no_command -s V -l version -d 'Print the version'
complete -c oomexec -n 'not __oomexec_check' -x -a '(__fish_complete_subcommand --commandline (__oomexec_command | string split0))'
