//! Order statistics of many measurements: times on a busy machine have a long tail.

use std::fmt;

/// Measurements of one thing, one in each round.
pub struct Summary {
    by_round: Vec<f64>,
    sorted: Vec<f64>,
}

impl FromIterator<f64> for Summary {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let by_round: Vec<_> = values.into_iter().collect();
        let mut sorted = by_round.clone();
        sorted.sort_by(f64::total_cmp);
        Self { by_round, sorted }
    }
}

impl Summary {
    /// Returns the median.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Returns the difference of the medians.
    pub fn over(&self, baseline: &Self) -> Added {
        Added {
            value: self.median() - baseline.median(),
            noise: self.noise().hypot(baseline.noise()),
        }
    }

    /// Returns the median of the differences within a round.
    ///
    /// It suits small differences: a machine of varying speed blurs it less.
    pub fn over_in_round(&self, baseline: &Self) -> Added {
        let pairs = self.by_round.iter().zip(&baseline.by_round);
        let differences: Self = pairs.map(|(own, other)| own - other).collect();
        Added {
            value: differences.median(),
            noise: differences.noise(),
        }
    }

    /// Returns half of the 95 % confidence interval of the median. The number of
    /// measurements below the true median is binomial, however they are distributed.
    fn noise(&self) -> f64 {
        let half = 0.98 / (self.sorted.len() as f64).sqrt();
        (self.quantile(0.5 + half) - self.quantile(0.5 - half)) / 2.0
    }

    /// Returns the measurement nearest to this quantile.
    fn quantile(&self, part: f64) -> f64 {
        let last = (self.sorted.len() - 1) as f64;
        let rank = (part * last).round().clamp(0.0, last);
        self.sorted[rank as usize]
    }
}

/// A difference, with half of its 95 % interval.
pub struct Added {
    value: f64,
    noise: f64,
}

impl Added {
    /// Returns the ratio to `other`; a dash where one of them is within its noise.
    pub fn times(&self, other: &Self) -> String {
        if self.value > self.noise && other.value > other.noise {
            format!("{:.2}", self.value / other.value)
        } else {
            "–".into()
        }
    }
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ± {:.1}", self.value, self.noise)
    }
}
