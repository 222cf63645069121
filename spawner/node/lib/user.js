// Tells whether another user may execute a file: the one that the child becomes by spawn's `uid`
// and `gid`.

import { lstatSync, readlinkSync } from "node:fs";
import { posix } from "node:path";

// As many as the kernel follows (path_resolution(7)).
const MOST_LINKS = 40;

/**
 * Returns the user that a child with these options becomes; undefined where the gateway may do no
 * more than it: the user is the gateway's own, or root.
 */
export function otherUser({ uid, gid }) {
  if ((uid ?? gid ?? undefined) === undefined) return undefined;
  const own = { uid: process.geteuid(), gid: process.getegid() };
  const user = { uid: uid ?? own.uid, gid: gid ?? own.gid };
  return user.uid === 0 || (user.uid === own.uid && user.gid === own.gid) ? undefined : user;
}

/**
 * Tells by the mode bits whether a user may execute a file, and so search each directory on the
 * way to it. The path is absolute. Other groups than `gid` do not count: spawn() drops them.
 */
export function mayExecute(user, path) {
  try {
    const file = follow(path, (directory) => mayX(user, lstatSync(directory)));
    return file !== undefined && mayX(user, lstatSync(file));
  } catch {
    return false;
  }
}

// Follows a path and its symbolic links, as the kernel does. Returns where it leads to; undefined
// if one of the directories may not be searched.
function follow(path, maySearch) {
  const rest = partsOf(path);
  let at = "/";
  for (let links = 0; rest.length > 0; ) {
    if (!maySearch(at) || links > MOST_LINKS) return undefined;
    // `..` is textual here: no link is left in `at`.
    const next = posix.join(at, rest.shift());
    if (lstatSync(next).isSymbolicLink()) {
      links++;
      const target = readlinkSync(next);
      rest.unshift(...partsOf(target));
      if (target.startsWith("/")) at = "/";
    } else {
      at = next;
    }
  }
  return at;
}

function partsOf(path) {
  return path.split("/").filter((part) => part !== "");
}

function mayX({ uid, gid }, stat) {
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  return ((stat.mode >> shift) & 1) === 1;
}
