// Runs a shell on a real terminal, and types and reads there.
import pty from "node-pty";
import { newDirectory } from "./child.js";
import { statOf, until } from "./process.js";

export const COLUMNS = 93;
export const ROWS = 31;

export class Terminal {
  #unread = "";

  constructor(t, { command, args, env }) {
    this.pty = pty.spawn(command, args, { name: "xterm-256color", cols: COLUMNS, rows: ROWS, env });
    this.pid = this.pty.pid;
    this.pty.onData((data) => (this.#unread += data));
    this.end = new Promise((resolve) => this.pty.onExit(resolve));
    let hasEnded = false;
    this.end.then(() => (hasEnded = true));
    // bash ends its children when its terminal closes.
    t.after(() => hasEnded || this.pty.kill("SIGHUP"));
  }

  type(text) {
    this.pty.write(text);
  }

  /**
   * Waits until the terminal shows the pattern, and returns the match.
   * The terminal echoes the input, so the input must not match the pattern.
   */
  async shows(pattern) {
    const what = () => `the terminal shows ${pattern}; it shows ${JSON.stringify(this.#unread)}`;
    const match = await until(what, () => pattern.exec(this.#unread));
    this.#unread = this.#unread.slice(match.index + match[0].length);
    return match;
  }

  /** The terminal's foreground process group. */
  get foreground() {
    return statOf(this.pid)?.foreground;
  }

  /** Waits until the named program is in the foreground, and returns its process group. */
  job(name) {
    return until(`${name} is in the foreground`, () => {
      const { foreground } = this;
      return foreground !== this.pid && statOf(foreground)?.name === name && foreground;
    });
  }
}

/** Returns an environment in which bash reads no files of whoever runs the tests. */
export function environmentOf(t) {
  return { PATH: process.env.PATH, HOME: newDirectory(t), HISTFILE: "/dev/null", LANG: "C.UTF-8" };
}
