//! Rows for people to read: aligned by the widest cell, the last column as long as it likes.

/// Rows as lines, two spaces between columns. Cells that are empty show a hyphen.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let width = |cell: &str| cell.chars().count();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|c| width(c)).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, wide) in row.iter().zip(&widths) {
            let cell = if cell.is_empty() { "-" } else { cell };
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', wide.saturating_sub(width(cell)) + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::aligned;

    #[test]
    fn columns_begin_below_one_another() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["NAME", "IS", "X"]), row(["Zoë", "", "a b"]), row(["b", "long", ""])];
        assert_eq!(aligned(&rows), "NAME  IS    X\nZoë   -     a b\nb     long  -\n");
        assert_eq!(aligned(&[]), "");
    }
}
