// Tables in GitHub Markdown, aligned for a terminal too.

/**
 * Formats rows, the first of which names the columns. `numbers` lists the right-aligned columns.
 */
export function markdownTable(rows, numbers) {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => [...row[column]].length)),
  );
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const padded = (cell, column) =>
    numbers.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]);
  const rule = widths.map((width, column) =>
    numbers.includes(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const [names, ...body] = rows.map((row) => line(row.map(padded)));
  return [names, line(rule), ...body].join("\n");
}
