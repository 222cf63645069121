// Order statistics of many times, which have a long tail on a busy machine.

/** The median, and half of its 95 % interval. */
export function summary(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const quantile = (part) =>
    sorted[Math.round(Math.min(1, Math.max(0, part)) * (sorted.length - 1))];
  // The number of values below the true median is binomial, however they are distributed.
  const half = 0.98 / Math.sqrt(sorted.length);
  return { median: quantile(0.5), noise: (quantile(0.5 + half) - quantile(0.5 - half)) / 2 };
}

/** The difference of the medians. */
export function difference(one, other) {
  return { median: one.median - other.median, noise: Math.hypot(one.noise, other.noise) };
}

/** The ratio of the medians. */
export function ratio(one, other) {
  const median = one.median / other.median;
  return { median, noise: median * Math.hypot(one.noise / one.median, other.noise / other.median) };
}
