// Makes real files of the kinds in ../../cases.json.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { endianness, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { OOMEXEC } from "./oomexec.js";

// The tests change the gateway's own.
const ENVIRONMENT = { ...process.env };

export function newDirectory(t) {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), "oomexec-node-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

export function makeFile(path, kind) {
  mkdirSync(dirname(path), { recursive: true });
  MAKE[kind](path);
}

const MAKE = {
  executable: (path) => writeFileSync(path, "#!/bin/sh\n", { mode: 0o755 }),
  plain: (path) => writeFileSync(path, "", { mode: 0o644 }),
  directory: (path) => mkdirSync(path),
  oomexec: (path) => copyFileSync(OOMEXEC, path),
  "other-machine": (path) => {
    const ofX64 = isLittle ? [62, 0] : [0, 62];
    const ofArm64 = isLittle ? [183, 0] : [0, 183];
    patched(path, 18, process.arch === "x64" ? ofArm64 : ofX64);
  },
  "other-class": (path) => patched(path, 4, [readFileSync(OOMEXEC)[4] === 1 ? 2 : 1]),
  "other-order": (path) => patched(path, 5, [isLittle ? 2 : 1]),
  script: (path) => writeFileSync(path, "#!/bin/sh\necho oomexec 0.1.0\n", { mode: 0o755 }),
  "other-program": (path) => symlinkSync(process.execPath, path),
  "older-oomexec": (path) => {
    const source = new URL("../../older-oomexec.c", import.meta.url);
    execFileSync("cc", ["-o", path, fileURLToPath(source)], { env: ENVIRONMENT });
  },
  "no-interpreter": (path) => writeFileSync(path, "#!/nonexistent/interpreter\n", { mode: 0o755 }),
  // A valid program that never ends.
  hanging: (path) => writeFileSync(path, hangingProgram(), { mode: 0o755 }),
};

const isLittle = endianness() === "LE";

function patched(path, offset, bytes) {
  const program = readFileSync(OOMEXEC);
  program.set(bytes, offset);
  writeFileSync(path, program, { mode: 0o755 });
}

// The header of the real binary, then one segment with an endless loop at the entry point.
function hangingProgram() {
  const LOOPS = {
    x64: [0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7], // mov eax, SYS_pause; syscall; jmp back
    arm64: [0x00, 0x00, 0x00, 0x14], // b .
    riscv64: [0x6f, 0x00, 0x00, 0x00], // j .
  };
  const loop = LOOPS[process.arch];
  if (loop === undefined) throw new Error(`no endless loop for ${process.arch}`);
  const program = Buffer.alloc(120 + loop.length);
  readFileSync(OOMEXEC).copy(program, 0, 0, 64);
  const base = 0x400000n;
  program.writeUInt16LE(2, 16); // ET_EXEC
  program.writeBigUInt64LE(base + 120n, 24); // entry
  program.writeBigUInt64LE(64n, 32); // program headers
  program.writeBigUInt64LE(0n, 40); // no sections
  program.writeUInt16LE(1, 56);
  program.writeUInt16LE(0, 60);
  program.writeUInt16LE(0, 62);
  program.writeUInt32LE(1, 64); // PT_LOAD
  program.writeUInt32LE(5, 68); // read, execute
  program.writeBigUInt64LE(base, 80);
  program.writeBigUInt64LE(base, 88);
  program.writeBigUInt64LE(BigInt(program.length), 96);
  program.writeBigUInt64LE(BigInt(program.length), 104);
  program.writeBigUInt64LE(0x1000n, 112);
  program.set(loop, 120);
  return program;
}
