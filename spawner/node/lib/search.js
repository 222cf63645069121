// Looks up a command on the child's PATH and from its directory, as execvp does in the child.

import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mayExecute } from "./user.js";

// The PATH that oomexec assumes if there is none.
const DEFAULT_PATH = "/usr/local/bin:/bin:/usr/bin";

/**
 * Returns "executable", "not-executable" (spawn fails with EACCES) or "not-found" (ENOENT), for the
 * `user` that the child becomes if it is another one (otherUser() in user.js).
 */
export function search(command, path, directory, user) {
  const inDirectory = (file) => (file.startsWith("/") ? file : directory + file);
  const mayRun = (file) =>
    mayExecute(user, file.startsWith("/") ? file : `${process.cwd()}/${file}`);
  const lookAt = (command) => {
    const seen = lookAtCommand(command, inDirectory);
    if (seen !== "executable" || user === undefined) return seen;
    return mayRun(inDirectory(command)) ? seen : "not-executable";
  };
  if (command.includes("/")) return lookAt(command);
  let result = "not-found";
  for (const element of String(path ?? DEFAULT_PATH).split(":")) {
    // An empty element is the current directory.
    const seen = lookAt(element === "" ? command : `${element}/${command}`);
    if (seen === "executable") return seen;
    if (seen === "not-executable") result = seen;
  }
  return result;
}

function lookAtCommand(command, inDirectory) {
  const file = inDirectory(command);
  const stat = statOf(file);
  const seen = judge(file, stat);
  // The exec of a script fails as that of its interpreter does.
  const interpreter = seen === "executable" ? interpreterOf(file, stat) : undefined;
  return interpreter === undefined ? seen : look(inDirectory(interpreter));
}

/** Says the same as search() of a file, whatever is in it. */
export function look(file) {
  return judge(file, statOf(file));
}

function judge(file, stat) {
  if (stat === undefined) return "not-found";
  if (!stat.isFile()) return "not-executable";
  try {
    accessSync(file, constants.X_OK);
    return "executable";
  } catch {
    return "not-executable";
  }
}

// An exception takes seven times as long.
const STAT = { bigint: true, throwIfNoEntry: false };

/** Returns what the path leads to; undefined if that is nothing that the gateway can see. */
export function statOf(path) {
  try {
    return statSync(path, STAT);
  } catch {
    return undefined;
  }
}

/** Returns what changes whenever a file does. */
export function versionOf({ dev, ino, mtimeNs, ctimeNs, size }) {
  // ctime shows changes that mtime can hide: `cp -p` over the file, chmod.
  return `${dev} ${ino} ${mtimeNs} ${ctimeNs} ${size}`;
}

// BINPRM_BUF_SIZE: as much as the kernel reads (fs/binfmt_script.c).
const head = Buffer.alloc(256);
const SHEBANG = /^#![ \t]*([^ \t\n\0]+)(.?)/s;

// By file. To read one takes as long as all else.
const interpreters = new Map();
const MOST_FILES = 1000;

// Returns the interpreter that the `#!` line names; undefined if there is none, or the gateway may
// not read the file.
function interpreterOf(file, stat) {
  const version = versionOf(stat);
  const last = interpreters.get(file);
  if (last?.version === version) return last.interpreter;
  if (interpreters.size >= MOST_FILES) interpreters.clear();
  const interpreter = readInterpreter(file);
  interpreters.set(file, { version, interpreter });
  return interpreter;
}

function readInterpreter(file) {
  let length = 0;
  try {
    const fd = openSync(file, "r");
    try {
      length = readSync(fd, head, 0, head.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
  const [, interpreter, behind] = SHEBANG.exec(head.toString("utf8", 0, length)) ?? [];
  // The kernel does not run a name that it cannot read to its end.
  return behind === "" && length === head.length ? undefined : interpreter;
}

/**
 * Returns the prefix for paths relative to the child's directory; undefined if the child cannot
 * enter it. Paths are joined as text, because resolving `..` here would be wrong behind a symbolic
 * link.
 */
export function directoryOf(cwd) {
  if (cwd === undefined || cwd === null || cwd === "") return "";
  try {
    const directory = cwd instanceof URL ? fileURLToPath(cwd) : cwd;
    if (!statOf(directory)?.isDirectory()) return undefined;
    accessSync(directory, constants.X_OK);
    return `${directory}/`;
  } catch {
    return undefined;
  }
}
