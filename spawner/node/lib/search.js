// Looks up a command on the child's PATH and from its directory, as execvp does in the child.

import { accessSync, constants, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

// The PATH that oomexec assumes if there is none.
const DEFAULT_PATH = "/usr/local/bin:/bin:/usr/bin";

/** Returns "executable", "not-executable" (spawn fails with EACCES) or "not-found" (ENOENT). */
export function search(command, path, directory) {
  const inDirectory = (file) => (file.startsWith("/") ? file : directory + file);
  if (command.includes("/")) return look(inDirectory(command));
  let result = "not-found";
  for (const element of String(path ?? DEFAULT_PATH).split(":")) {
    // An empty element is the current directory.
    const seen = look(inDirectory(element === "" ? command : `${element}/${command}`));
    if (seen === "executable") return seen;
    if (seen === "not-executable") result = seen;
  }
  return result;
}

export function look(file) {
  try {
    if (!statSync(file).isFile()) return "not-executable";
  } catch {
    return "not-found";
  }
  try {
    accessSync(file, constants.X_OK);
    return "executable";
  } catch {
    return "not-executable";
  }
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
    if (!statSync(directory).isDirectory()) return undefined;
    accessSync(directory, constants.X_OK);
    return `${directory}/`;
  } catch {
    return undefined;
  }
}
