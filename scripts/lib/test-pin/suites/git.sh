#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# Commits, merges, rebases, clones, packs.
set -eu

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' \
    GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@localhost \
    GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_PAGER=cat GIT_EDITOR=true

step config git config --global init.defaultBranch main
step init git init repository
cd repository
echo 'exit 0' >.git/hooks/pre-commit
chmod +x .git/hooks/pre-commit
for at in 1 2 3 4 5; do
    echo "line $at" >>file
    step "add $at" git add file
    step "commit $at" git commit -m "commit $at"
done
step branch git checkout -b side HEAD~2
echo other >other
step 'add other' git add other
step 'commit other' git commit -m other
step merge git merge main
step 'conflict' sh -c 'git checkout -b third HEAD~1 && echo changed >other && git commit -am changed &&
    git checkout -b fourth HEAD~1 && echo different >other && git commit -am different && ! git merge third'
step 'abort' git merge --abort
step rebase sh -c 'git checkout main && echo new >new && git add new && git commit -m new &&
    git rebase -f --root'
step 'interactive rebase' git rebase -i HEAD~2
step amend git commit --amend -m amended
step stash sh -c 'echo dirty >file && git stash && git stash pop && git checkout file'
step worktree sh -c 'git worktree add ../tree side && git worktree list && git worktree remove ../tree'
step tag git tag -a -m tag v1
step 'format-patch, am' sh -c 'git format-patch -o ../patches HEAD~1 &&
    git checkout -b patched HEAD~1 && git am ../patches/*'
step bisect sh -c 'git checkout -q main && git bisect start HEAD v1~4 &&
    git bisect run sh -c "! grep -q \"line 4\" file"; git bisect reset'
step bundle git bundle create ../bundle --all
step 'clone a bundle' git clone ../bundle ../from-bundle
step archive sh -c 'git archive HEAD >/dev/stdout | sha256sum'
cd ..
step 'clone, local' git clone repository local
step 'clone, transport' git clone "file://$PWD/repository" transport
step 'clone, bare' git clone --bare repository bare.git
step push sh -c 'cd transport && git checkout main && echo pushed >pushed && git add pushed &&
    git commit -m pushed && git push ../bare.git main'
step fetch sh -c 'cd local && git fetch ../bare.git main && git log --format=%H FETCH_HEAD'
step submodule sh -c 'cd local && git -c protocol.file.allow=always submodule add "$HOME/bare.git" sub &&
    git commit -m sub && git submodule status'
step gc git -C repository gc --quiet
step repack git -C repository repack -a -d -q
step fsck git -C repository fsck --full
step log git -C repository log --all --format='%H %s'
step status git -C repository status
step 'work trees' files repository/file repository/other local/sub
