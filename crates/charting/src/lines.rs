//! The difference of two texts, line by line, for versions of a note. Bounded: texts whose middle part is
//! too long to be compared are told as removed and added whole, which is true as well.

/// Pairs of lines that are held against each other: two texts of 2,000 lines that share nothing.
pub const PAIRS_MAX: usize = 4_000_000;

/// One line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// In both.
    Same,
    /// In the old one only.
    Removed,
    /// In the new one only.
    Added,
}

/// The lines of both texts in order, each with what became of it. Those that were not added are the old
/// text, and those that were not removed the new one.
pub fn diff<'t>(old: &'t str, new: &'t str) -> Vec<(Change, &'t str)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let front = old.iter().zip(&new).take_while(|(one, two)| one == two).count();
    let (a, b) = (old.get(front..).unwrap_or_default(), new.get(front..).unwrap_or_default());
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(one, two)| one == two).count();
    let (a, tail) = a.split_at(a.len() - back);
    let b = b.get(..b.len() - back).unwrap_or_default();
    let same = |line: &&'t str| (Change::Same, *line);
    let mut out: Vec<(Change, &str)> = old.iter().take(front).map(same).collect();
    middle(a, b, &mut out);
    out.extend(tail.iter().map(same));
    out
}

fn middle<'t>(old: &[&'t str], new: &[&'t str], out: &mut Vec<(Change, &'t str)>) {
    let wide = new.len() + 1;
    let bounded = old.len().saturating_mul(new.len()) <= PAIRS_MAX;
    let mut length = if bounded { vec![0_u32; (old.len() + 1) * wide] } else { Vec::new() };
    let look = |length: &[u32], i: usize, j: usize| length.get(i * wide + j).copied().unwrap_or(0);
    for (i, one) in old.iter().enumerate().rev().filter(|_| bounded) {
        for (j, two) in new.iter().enumerate().rev() {
            let best = match one == two {
                true => look(&length, i + 1, j + 1) + 1,
                false => look(&length, i + 1, j).max(look(&length, i, j + 1)),
            };
            if let Some(slot) = length.get_mut(i * wide + j) {
                *slot = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(two)) if bounded && one == two => {
                out.push((Change::Same, one));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), two)
                if two.is_none()
                    || !bounded
                    || look(&length, i + 1, j) >= look(&length, i, j + 1) =>
            {
                out.push((Change::Removed, one));
                i += 1;
            }
            (_, Some(two)) => {
                out.push((Change::Added, two));
                j += 1;
            }
            (_, None) => return,
        }
    }
}
