// The picture: the memory of a gateway and of its children until and after the kernel kills,
// a panel for each launcher, as SVG.

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const TITLES = {
  direct: "Children started directly",
  oomexec: "Children started through oomexec",
};

// The page and the text are GitHub's. Blue and orange are of Okabe and Ito's palette: the
// colour-blind tell them apart.
const THEMES = {
  light: { page: "#ffffff", ink: "#1f2328", faint: "#59636e", blue: "#0072b2", orange: "#e69f00" },
  dark: { page: "#0d1117", ink: "#f0f6fc", faint: "#9198a1", blue: "#56b4e9", orange: "#e69f00" },
};

/**
 * Returns the SVG for each theme, {light, dark}. `trials` are what runTrial() returns, with the
 * launcher's name; `limit` is in bytes; `caption` stands below.
 */
export function plots(trials, limit, caption) {
  const data = {
    limit: mebibytes(limit),
    end: Math.max(...trials.map(({ samples }) => samples.at(-1).at)) / 1000,
    caption,
    trials,
    memory: trials.flatMap(memory),
    kills: trials.flatMap(kills),
  };
  return Object.fromEntries(
    Object.entries(THEMES).map(([name, theme]) => [name, plotted(data, theme)]),
  );
}

function plotted(
  { limit, end, caption, trials, memory, kills },
  { page, ink, faint, blue, orange },
) {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const inPanel = { fx: "name", x: "at" };
  const above = { fx: "name", frameAnchor: "top-left", lineAnchor: "bottom" };
  const quarters = [0, 1, 2, 3, 4].map((count) => (count * limit) / 4);
  const svg = Plot.plot({
    document,
    width: 800,
    height: 400,
    marginTop: 44,
    marginRight: 6,
    marginBottom: 54,
    marginLeft: 70,
    style: { background: page, color: ink, fontSize: "14px" },
    fx: { axis: null, padding: 0.06, domain: trials.map(({ name }) => name) },
    x: { domain: [0, end], insetRight: 6 },
    y: { domain: [0, 1.13 * limit] },
    marks: [
      Plot.areaY(memory, { ...inPanel, y1: "gateway", y2: "all", fill: orange, fillOpacity: 0.35 }),
      Plot.lineY(memory, { ...inPanel, y: "all", stroke: orange }),
      Plot.areaY(memory, { ...inPanel, y1: 0, y2: "gateway", fill: blue, fillOpacity: 0.35 }),
      Plot.lineY(memory, { ...inPanel, y: "line", stroke: blue, strokeWidth: 3 }),
      Plot.ruleY([limit], { stroke: ink, strokeDasharray: "5 4" }),
      Plot.ruleY([0], { stroke: faint }),
      Plot.dot(kills, {
        ...inPanel,
        y: "y",
        symbol: "times",
        r: { value: (kill) => (kill.role === "gateway" ? 9 : 3.5), scale: null },
        stroke: ink,
        strokeWidth: 2,
      }),
      Plot.axisX({
        anchor: "bottom",
        label: null,
        tickSpacing: 60,
        tickSize: 4,
        tickFormat: (seconds) => `${seconds} s`,
        color: faint,
      }),
      Plot.axisY({
        anchor: "left",
        label: null,
        ticks: quarters,
        tickSize: 0,
        tickFormat: (size) => (size === limit ? `${size} MiB` : `${size}`),
        color: faint,
      }),
      Plot.text(trials, {
        ...above,
        dy: -22,
        text: ({ name }) => TITLES[name],
        fontSize: 16,
        fontWeight: "bold",
      }),
      Plot.text(trials, {
        ...above,
        dy: -4,
        text: ({ scores }) =>
          `oom_score_adj: gateway ${scores.gateway}, children ${scores.children.join(", ")}`,
        fill: faint,
      }),
      Plot.text(trials.slice(0, 1), {
        ...above,
        frameAnchor: "bottom-left",
        dy: 48,
        text: () => caption,
        fill: faint,
        fontSize: 12,
      }),
      ...trials.flatMap((trial) => notes(trial, limit, end)),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}

/**
 * The memory in use, in MiB and seconds: the gateway's, and on top of it all others'. The line of
 * a dead gateway ends.
 */
function memory({ name, samples }) {
  const last = samples.findLastIndex(({ gateway, others }) => gateway || others);
  return samples.slice(0, last + 2).map(({ at, gateway, others }) => ({
    name,
    at: at / 1000,
    gateway: mebibytes(gateway ?? 0),
    line: gateway === undefined ? Number.NaN : mebibytes(gateway),
    all: mebibytes((gateway ?? 0) + others),
  }));
}

/**
 * The kills: when each was first seen, whom, and where it stands: on the gateway's line, or on top
 * of all; those of one look one below the other.
 */
function kills({ name, samples, victims }) {
  return samples.flatMap(({ at, kills }, index) => {
    const { gateway = 0, others, kills: before } = samples[Math.max(0, index - 1)];
    return victims.slice(before, kills).map(({ role }, nth) => ({
      name,
      at: at / 1000,
      role,
      y: mebibytes(role === "gateway" ? gateway : (gateway + others) * (1 - 0.04 * nth)),
    }));
  });
}

/** The words in a panel. */
function notes({ name, outcome, samples }, limit, end) {
  const count = samples.at(-1).kills;
  const killed = samples.find(({ kills }) => kills > 0).at / 1000;
  const held = mebibytes(samples.findLast(({ gateway }) => gateway).gateway);
  const above = 1.06 * limit;
  const note = (text, at, y, options) =>
    Plot.text([{ name, at, y, text }], { fx: "name", x: "at", y: "y", text: "text", ...options });
  const start = { textAnchor: "start" };
  const stop = { textAnchor: "end" };
  const bold = { fontWeight: "bold" };
  const both = [
    note("gateway", killed / 2, held / 2),
    note("children", killed - 0.2, held + 0.2 * (limit - held), stop),
  ];
  if (outcome === "died") {
    const others = count > 1 ? `\nand ${numbered(count - 1)}` : "";
    return [
      ...both,
      note("limit of the cgroup", 0, above, start),
      note(`The kernel kills\nthe gateway${others}.`, killed + 0.4, held, { ...start, ...bold }),
      note("Its children\nend with it.", killed + 0.4, held / 2, start),
    ];
  }
  return [
    ...both,
    note(`× The kernel kills ${numbered(count)}.`, end, above, { ...stop, ...bold }),
    note("The gateway goes on.", (killed + end) / 2, held / 2, bold),
  ];
}

function numbered(count) {
  return count === 1 ? "1 child" : `${count} children`;
}

function mebibytes(bytes) {
  return Math.round((bytes / 2 ** 20) * 10) / 10;
}
