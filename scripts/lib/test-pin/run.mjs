// One suite in one way: what each of its steps printed, or how each of its tests ended.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** `nobody`, an unprivileged user. */
const NOBODY = 65534;

/** Anything that takes longer hangs: in milliseconds. */
const DEADLINE = 30 * 60 * 1000;

export const isRoot = process.getuid() === 0;

/** The words in front of the command, by the name of the way. */
export const WAYS = { "without a pin": [], "--pin": ["--pin"], "--pin=write": ["--pin=write"] };

/** What the registries' clients must know to reach them: below the home. */
const SETTINGS = [".npmrc", ".config/pip", ".cargo/config.toml"];

/** A folder with oomexec and the suites, where every user may run them; and room for a home. */
export class Stage {
  constructor(oomexec) {
    this.folder = mkdtempSync(join(tmpdir(), "oomexec-test-pin-"));
    chmodSync(this.folder, 0o755);
    this.oomexec = join(this.folder, "oomexec");
    copyFileSync(oomexec, this.oomexec);
    this.suites = join(this.folder, "suites");
    cpSync(fileURLToPath(new URL("suites", import.meta.url)), this.suites, { recursive: true });
    this.home = join(this.folder, "home");
    this.results = join(this.folder, "results");
    this.rust = join(this.folder, "rust");
    mkdirSync(this.rust);
    const sysroot = spawnSync("rustc", ["--print", "sysroot"], { encoding: "utf8" });
    this.sysroot = sysroot.stdout?.trim() || "/usr";
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Whether a shell cannot set its score. */
  holds(way) {
    const set = way === "--pin" ? ">" : ">>";
    const attempt = `{ echo 1000 ${set}/proc/self/oom_score_adj; } 2>/dev/null || echo held`;
    const words = [...WAYS[way], "--", "sh", "-c", attempt];
    return spawnSync(this.oomexec, words, { encoding: "utf8" }).stdout === "held\n";
  }

  /**
   * Runs a suite in an empty home. Returns a map from the name of each step to what came of it;
   * throws if the suite itself fails.
   */
  run({ file, args = [] }, user, way, environment = {}) {
    rmSync(this.home, { recursive: true, force: true });
    rmSync(this.results, { recursive: true, force: true });
    mkdirSync(this.home);
    mkdirSync(this.results);
    for (const setting of SETTINGS) {
      const from = join(homedir(), setting);
      if (!existsSync(from)) continue;
      mkdirSync(dirname(join(this.home, setting)), { recursive: true });
      cpSync(from, join(this.home, setting), { recursive: true });
    }
    if (isRoot && user === "nobody") chownAll([this.home, this.results]);

    const suite = join(this.suites, file);
    const runner = file.endsWith(".py") ? "/usr/bin/python3" : join(this.suites, "steps.sh");
    const words = [this.oomexec, ...WAYS[way], "--", runner, suite, ...args];
    const [command, ...rest] = [...this.#as(user), ...words];
    const { status, signal, stdout, stderr } = spawnSync(command, rest, {
      cwd: this.home,
      encoding: "utf8",
      env: this.#environment(environment),
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: DEADLINE,
      killSignal: "SIGKILL",
    });
    if (status !== 0)
      throw new Error(
        `${basename(file)} ${way} as ${user} ended with ${signal ?? status}:\n${stdout}${stderr}`,
      );
    // The names of files have % for /.
    const outcome = (name) => readFileSync(join(this.results, name), "latin1");
    const names = readdirSync(this.results).sort();
    return new Map(names.map((name) => [name.replaceAll("%", "/"), outcome(name)]));
  }

  /**
   * Starts a process of the user's that is not pinned: it listens on loopback, and may be
   * debugged.
   */
  async bystander(user) {
    const listen =
      "import ctypes, socket, time; ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1)); " +
      "it = socket.create_server(('127.0.0.1', 0)); print(flush=True); time.sleep(1 << 20)";
    const [command, ...rest] = [...this.#as(user), "/usr/bin/python3", "-c", listen];
    const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    return child;
  }

  /** The words that make a command the user's, with the toolchain where that user may read it. */
  #as(user) {
    if (!isRoot) return [];
    const prepare = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
    const words = ["unshare", "--mount", "sh", "-c", prepare, "sh", this.sysroot, this.rust];
    const drop = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
    return user === "nobody" ? [...words, ...drop] : words;
  }

  #environment(more) {
    const rust = isRoot ? this.rust : this.sysroot;
    // The caller's own: what reaches the registries may be there.
    const {
      CARGO_HOME: _,
      CARGO_TARGET_DIR: _1,
      RUSTUP_HOME: _2,
      RUSTUP_TOOLCHAIN: _3,
      ...env
    } = process.env;
    return {
      ...env,
      PATH: `${rust}/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: this.home,
      TMPDIR: this.home,
      LANG: "C.UTF-8",
      RESULTS: this.results,
      ...more,
    };
  }
}

function chownAll(files) {
  for (const file of files) {
    chownSync(file, NOBODY, NOBODY);
    for (const entry of readdirSync(file, { recursive: true }))
      chownSync(join(file, entry), NOBODY, NOBODY);
  }
}
