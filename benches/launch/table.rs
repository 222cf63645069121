//! Tables in GitHub Markdown, aligned for a terminal too.

use std::fmt;

/// A table as it is printed.
pub struct Table {
    /// The line above it.
    pub heading: &'static str,
    /// The columns' names. The columns of text come first.
    pub columns: Vec<&'static str>,
    /// How many columns are of text, set to the left; the others hold numbers.
    pub text_columns: usize,
    /// The cells, one for each column.
    pub rows: Vec<Vec<String>>,
    /// The paragraph below it.
    pub note: String,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.columns.iter().map(ToString::to_string).collect();
        let widths: Vec<_> = (0..names.len()).map(|column| self.width(column)).collect();
        let rule: Vec<_> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| match column < self.text_columns {
                true => "-".repeat(*width),
                false => "-".repeat(width - 1) + ":",
            })
            .collect();

        writeln!(f, "### {}\n", self.heading)?;
        for row in [&names, &rule].into_iter().chain(&self.rows) {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column < self.text_columns {
                    true => write!(f, "| {cell:<width$} ")?,
                    false => write!(f, "| {cell:>width$} ")?,
                }
            }
            writeln!(f, "|")?;
        }
        writeln!(f, "\n{}", self.note)
    }
}

impl Table {
    /// Returns the width of the widest cell of a column, its name among them.
    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].as_str());
        let widths = cells
            .chain([self.columns[column]])
            .map(|cell| cell.chars().count());
        widths.max().unwrap_or_default()
    }
}

/// Formats a number in groups of digits: 100,000.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
