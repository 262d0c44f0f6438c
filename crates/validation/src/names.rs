//! A fixed table from short names to what they stand for: member names of a type, codes of a value
//! set. It is filled once and asked for every member of every write, so it hashes at most sixteen
//! bytes of a name and takes no lock. The names come from the definitions of R4, never from callers,
//! so nobody can choose names that collide.

/// Names and what each stands for.
#[derive(Debug)]
pub(crate) struct Names<T> {
    entries: Vec<(&'static str, T)>,
    /// Position of an entry plus one, 0 for none; a power of two of them, at most half filled.
    buckets: Vec<u16>,
}

impl<T> Names<T> {
    /// Takes the names, each once, at most 65,534 of them.
    pub(crate) fn new(entries: Vec<(&'static str, T)>) -> Self {
        let mut buckets = vec![0_u16; (entries.len() * 2 + 2).next_power_of_two()];
        for (index, (name, _)) in entries.iter().enumerate() {
            let Ok(mark) = u16::try_from(index + 1) else { break };
            let mut at = hash(name.as_bytes());
            loop {
                let place = at & (buckets.len() - 1);
                match buckets.get_mut(place) {
                    Some(bucket) if *bucket == 0 => {
                        *bucket = mark;
                        break;
                    }
                    _ => at = place + 1,
                }
            }
        }
        Self { entries, buckets }
    }

    /// What a name stands for.
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        let mut at = hash(name.as_bytes());
        loop {
            let place = at & (self.buckets.len() - 1);
            let index = self.buckets.get(place).copied().and_then(|mark| mark.checked_sub(1))?;
            let (known, what) = self.entries.get(usize::from(index))?;
            if *known == name {
                return Some(what);
            }
            at = place + 1;
        }
    }

    /// All of them, in the order given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(&'static str, T)> {
        self.entries.iter()
    }
}

/// Mixes the length, the first eight bytes and the last eight.
fn hash(name: &[u8]) -> usize {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let (head, tail) = if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
        (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
    } else if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
        (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
    } else {
        (name.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)), 0)
    };
    let mixed = (head ^ name.len() as u64).wrapping_mul(ODD) ^ tail;
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(ODD);
    // The upper half is the better mixed one; 32 bits fit usize everywhere we build.
    usize::try_from(mixed >> 33).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_it_holds_and_nothing_else() {
        let held = ["id", "text", "valueQuantity", "valueString", "a", "", "abstractRangeInteger"];
        let names = Names::new(held.iter().enumerate().map(|(i, n)| (*n, i)).collect());
        for (index, name) in held.iter().enumerate() {
            assert_eq!(names.get(name), Some(&index), "{name}");
        }
        for absent in ["i", "texts", "valueQuantities", "b", "abstractRangfInteger"] {
            assert_eq!(names.get(absent), None, "{absent}");
        }
        assert_eq!(Names::<()>::new(Vec::new()).get("x"), None);
        assert_eq!(names.iter().count(), held.len());
    }
}
