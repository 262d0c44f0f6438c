//! A resource as something that can be changed: JSON without the order of members.

use super::{PAIRS_MAX, Step};
use crate::read::hidden;
use fhir::{Kind, Value};

/// A JSON value. Leaves keep their text exactly: `1.0` is not `1`.
#[derive(Clone, PartialEq, Eq)]
pub enum Tree {
    /// Members, each name once.
    Object(Vec<(String, Self)>),
    /// Items.
    List(Vec<Self>),
    /// A string, number, boolean or null, as its JSON text with escapes undone in strings.
    Leaf(Leaf),
}

/// A value without parts.
#[derive(Clone, PartialEq, Eq)]
pub enum Leaf {
    /// A string.
    Text(String),
    /// Anything else, as it is written.
    Plain(String),
}

hidden!(Tree, Leaf);

impl Tree {
    /// Reads a value.
    pub fn of(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Object => Self::Object(
                value.members().map(|(name, value)| (name.to_owned(), Self::of(value))).collect(),
            ),
            Kind::Array => Self::List(value.items().map(Self::of).collect()),
            Kind::String => {
                Self::Leaf(Leaf::Text(value.as_str().map(|t| t.into_owned()).unwrap_or_default()))
            }
            Kind::Number | Kind::True | Kind::False | Kind::Null => {
                Self::Leaf(Leaf::Plain(value.raw().to_owned()))
            }
        }
    }

    /// Its JSON.
    pub fn json(&self) -> String {
        let mut out = fhir::write::Writer::new();
        self.write(&mut out);
        String::from_utf8(out.finish()).unwrap_or_default()
    }

    fn write(&self, out: &mut fhir::write::Writer) {
        match self {
            Self::Object(members) => {
                out.object();
                for (name, value) in members {
                    out.key(name);
                    value.write(out);
                }
                out.end_object();
            }
            Self::List(items) => {
                out.array();
                items.iter().for_each(|item| item.write(out));
                out.end_array();
            }
            Self::Leaf(Leaf::Text(text)) => _ = out.string(text),
            Self::Leaf(Leaf::Plain(text)) => _ = out.raw(text.as_bytes()),
        }
    }

    /// Whether two say the same, whatever the order of members.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(one), Self::Object(two)) => {
                one.len() == two.len()
                    && one.iter().all(|(name, value)| {
                        other.member(name).is_some_and(|other| value.same(other))
                    })
            }
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.same(two))
            }
            (Self::Leaf(one), Self::Leaf(two)) => one == two,
            _ => false,
        }
    }

    /// A member by its name.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    pub(super) fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else { return None };
        members.iter_mut().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    pub(super) fn take_out(&mut self, name: &str) -> Option<()> {
        let Self::Object(members) = self else { return None };
        let at = members.iter().position(|(own, _)| own == name)?;
        members.remove(at);
        Some(())
    }

    /// The element at the end of a path.
    pub(super) fn at(&self, path: &[Step]) -> Option<&Self> {
        path.iter().try_fold(self, |here, step| match step {
            Step::Member(name) => here.member(name),
            Step::Item(at) => match here {
                Self::List(items) => items.get(*at),
                _ => None,
            },
        })
    }

    pub(super) fn at_mut(&mut self, path: &[Step]) -> Option<&mut Self> {
        path.iter().try_fold(self, |here, step| match step {
            Step::Member(name) => here.member_mut(name),
            Step::Item(at) => match here {
                Self::List(items) => items.get_mut(*at),
                _ => None,
            },
        })
    }

    pub(super) fn add(&mut self, path: &[Step], value: Self) -> Option<()> {
        let (last, above) = path.split_last()?;
        match (self.at_mut(above)?, last) {
            (Self::Object(members), Step::Member(name)) => {
                if members.iter().any(|(own, _)| own == name) {
                    return None;
                }
                members.push((name.clone(), value));
            }
            (Self::List(items), Step::Item(at)) if *at <= items.len() => items.insert(*at, value),
            _ => return None,
        }
        Some(())
    }

    pub(super) fn remove(&mut self, path: &[Step]) -> Option<()> {
        let (last, above) = path.split_last()?;
        match (self.at_mut(above)?, last) {
            (above, Step::Member(name)) => above.take_out(name),
            (Self::List(items), Step::Item(at)) if *at < items.len() => {
                items.remove(*at);
                Some(())
            }
            _ => None,
        }
    }
}

/// What two lists are made of, in the order of the new one; what is only in the old stands where it was.
#[derive(Clone, Copy)]
pub(super) enum Piece<'t> {
    /// In both, the same.
    Same,
    /// In both, changed.
    Both(&'t Tree, &'t Tree),
    /// In the old only.
    Old,
    /// In the new only.
    New(&'t Tree),
}

/// Aligns two lists by the longest run of items that stayed the same.
pub(super) fn aligned<'t>(old: &'t [Tree], new: &'t [Tree]) -> Vec<Piece<'t>> {
    let alike = |one: &&Tree, two: &&Tree| one.same(two);
    let front = old.iter().zip(new).take_while(|(one, two)| alike(one, two)).count();
    let (old, new) = (old.get(front..).unwrap_or_default(), new.get(front..).unwrap_or_default());
    let back =
        old.iter().rev().zip(new.iter().rev()).take_while(|(one, two)| alike(one, two)).count();
    let old = old.get(..old.len() - back).unwrap_or_default();
    let new = new.get(..new.len() - back).unwrap_or_default();
    let mut pieces = vec![Piece::Same; front];
    let mut gap = (Vec::new(), Vec::new());
    let mut at = (0, 0);
    for (one, two) in kept(old, new).into_iter().chain([(old.len(), new.len())]) {
        gap.0.extend(old.get(at.0..one).unwrap_or_default());
        gap.1.extend(new.get(at.1..two).unwrap_or_default());
        fill(&mut pieces, &gap.0, &gap.1);
        gap = (Vec::new(), Vec::new());
        if one < old.len() {
            pieces.push(Piece::Same);
        }
        at = (one + 1, two + 1);
    }
    pieces.extend(std::iter::repeat_n(Piece::Same, back));
    pieces
}

/// Between two items that stayed: those of the same kind (one `id`, `system` or `url`) are one that was
/// changed; of the rest, in order, likewise; what is left was removed or added.
fn fill<'t>(pieces: &mut Vec<Piece<'t>>, old: &[&'t Tree], new: &[&'t Tree]) {
    let paired = old.len().min(new.len());
    let in_order = old.iter().zip(new).all(|(one, two)| is_kin(one, two));
    if !in_order && paired > 0 {
        // Not one by one: whichever of the old has kin further on waits for it.
        let mut rest = new;
        for one in old {
            match rest.iter().position(|two| is_kin(one, two)) {
                Some(at) => {
                    pieces.extend(rest.iter().take(at).map(|two| Piece::New(two)));
                    if let Some(two) = rest.get(at) {
                        pieces.push(Piece::Both(one, two));
                    }
                    rest = rest.get(at + 1..).unwrap_or_default();
                }
                None => pieces.push(Piece::Old),
            }
        }
        pieces.extend(rest.iter().map(|two| Piece::New(two)));
        return;
    }
    pieces.extend(old.iter().zip(new).map(|(one, two)| Piece::Both(one, two)));
    pieces.extend(old.iter().skip(paired).map(|_| Piece::Old));
    pieces.extend(new.iter().skip(paired).map(|two| Piece::New(two)));
}

/// Whether two items are the same thing, perhaps changed.
fn is_kin(one: &Tree, two: &Tree) -> bool {
    let keys = ["id", "url", "system", "use", "code", "reference"];
    match (one, two) {
        (Tree::Object(_), Tree::Object(_)) => keys
            .iter()
            .find_map(|key| Some((one.member(key)?, two.member(key)?)))
            .is_none_or(|(one, two)| one.same(two)),
        (Tree::List(_), Tree::List(_)) | (Tree::Leaf(_), Tree::Leaf(_)) => true,
        _ => false,
    }
}

/// The pairs of the longest common subsequence; none when there would be too many to try.
fn kept(old: &[Tree], new: &[Tree]) -> Vec<(usize, usize)> {
    let wide = new.len() + 1;
    if old.is_empty() || new.is_empty() || old.len().saturating_mul(new.len()) > PAIRS_MAX {
        return Vec::new();
    }
    let mut length = vec![0_u32; (old.len() + 1) * wide];
    let look = |length: &[u32], i: usize, j: usize| length.get(i * wide + j).copied().unwrap_or(0);
    for (i, one) in old.iter().enumerate().rev() {
        for (j, two) in new.iter().enumerate().rev() {
            let best = if one.same(two) {
                look(&length, i + 1, j + 1) + 1
            } else {
                look(&length, i + 1, j).max(look(&length, i, j + 1))
            };
            if let Some(slot) = length.get_mut(i * wide + j) {
                *slot = best;
            }
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while let (Some(one), Some(two)) = (old.get(i), new.get(j)) {
        if one.same(two) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if look(&length, i + 1, j) >= look(&length, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}
