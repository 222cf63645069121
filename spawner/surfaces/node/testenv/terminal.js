// A shell on a real terminal, and somebody who types and reads.
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
    // bash keeps no child of its own after its terminal is gone.
    t.after(() => hasEnded || this.pty.kill("SIGHUP"));
  }

  type(text) {
    this.pty.write(text);
  }

  /**
   * Waits until the terminal shows this, and gives what it matched. What is typed is shown too: what to wait for
   * must not be in it.
   */
  async shows(pattern) {
    const what = () => `the terminal shows ${pattern}; it shows ${JSON.stringify(this.#unread)}`;
    const match = await until(what, () => pattern.exec(this.#unread));
    this.#unread = this.#unread.slice(match.index + match[0].length);
    return match;
  }

  /** The process group that has the terminal's keyboard now. */
  get foreground() {
    return statOf(this.pid)?.foreground;
  }

  /** Waits until a program that was typed has the keyboard, and gives its process group. */
  job(name) {
    return until(`${name} has the keyboard`, () => {
      const { foreground } = this;
      return foreground !== this.pid && statOf(foreground)?.name === name && foreground;
    });
  }
}

/** An environment in which bash reads no file of whoever runs the tests. */
export function environmentOf(t) {
  return { PATH: process.env.PATH, HOME: newDirectory(t), HISTFILE: "/dev/null", LANG: "C.UTF-8" };
}
