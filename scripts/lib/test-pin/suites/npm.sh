#!/bin/sh
# shellcheck disable=SC2016 # for the shells that the steps start
# Installs a package from the registry and a local one that runs scripts.
set -eu

mkdir project beside
cat >beside/package.json <<'END'
{ "name": "beside", "version": "1.0.0", "bin": "run.js",
  "scripts": { "install": "node -e \"require('fs').writeFileSync('installed', 'yes')\"" } }
END
printf '#!/usr/bin/env node\nconsole.log("it runs", process.argv.slice(2));\n' >beside/run.js
cd project
cat >package.json <<'END'
{ "name": "project", "version": "1.0.0",
  "scripts": { "show": "node -p \"require('which').sync('node').length > 0\"" } }
END
step pack sh -c 'cd .. && npm pack --silent ./beside'
step 'install from the registry' npm install --silent which@4
step 'install a folder' npm install --silent ../beside
step 'install a tarball' npm install --silent ../beside-1.0.0.tgz
step ls npm ls --all
step 'lock file' cat package-lock.json
step 'run' npm run --silent show
step 'exec' npx --no-install beside 1 2
step 'ci' sh -c 'rm -rf node_modules && npm ci --silent && npm ls --all'
step uninstall sh -c 'npm uninstall --silent which && npm ls --all'
step 'cache' sh -c 'npm cache verify >/dev/null'
step 'files' files node_modules package.json
