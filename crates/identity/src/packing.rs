//! Making the compact list (`packed.rs`) from the public one: lines `SHA-1:COUNT` ordered by hash, 40 GB
//! of them, read once and kept nowhere; or from passwords themselves, a line each, as a site may have
//! some of its own. What is not such a line ends the work, with its number and never with its text.

use std::fmt;
use std::io::{self, BufRead, Read as _, Seek, SeekFrom, Write};

use base::Millis;
use sha1::{Digest as _, Sha1};
use zeroize::{Zeroize as _, Zeroizing};

use crate::packed::{About, BEFORE, BLOCK, checksum, value};

/// Bytes of a line of hashes, its end included.
const LINE_MAX: usize = 64;
/// Bytes of a password.
const PASSWORD_MAX: usize = 1024;
/// Passwords themselves have to be put in order, so this many are held at once: 8 bytes each.
pub const PASSWORDS_MAX: usize = 20_000_000;
/// How often progress is told, in lines.
const TOLD_EVERY: u64 = 1 << 20;

/// Why no list was made.
#[derive(Debug)]
pub enum Unpacked {
    /// It could not be read or written.
    Io(io::Error),
    /// The line of this number is no hash with a count.
    NoHash(u64),
    /// The line of this number is an NTLM hash: what Windows keeps, not what this program compares.
    Ntlm(u64),
    /// The line of this number stands in no order.
    Unordered(u64),
    /// There are more passwords than can be put in order.
    TooMany,
    /// There was not one that is taken in.
    Empty,
}

impl fmt::Display for Unpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(why) => write!(f, "the list cannot be read or written: {}", why.kind()),
            Self::NoHash(line) => write!(
                f,
                "line {line} is no SHA-1 of 40 hexadecimal digits with a count, such as 0018A45C…:10; for passwords themselves say --format plain"
            ),
            Self::Ntlm(line) => write!(
                f,
                "line {line} is an NTLM hash; download the list of SHA-1 hashes, ordered by hash"
            ),
            Self::Unordered(line) => write!(
                f,
                "line {line} comes before the one above it; download the list that is ordered by hash, not by prevalence"
            ),
            Self::TooMany => write!(f, "there are more than {PASSWORDS_MAX} passwords"),
            Self::Empty => f.write_str("no line was taken in, so no list was made"),
        }
    }
}

impl std::error::Error for Unpacked {}

impl From<io::Error> for Unpacked {
    fn from(why: io::Error) -> Self {
        Self::Io(why)
    }
}

/// What a list is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `SHA-1:COUNT`, ordered.
    Sha1,
    /// Passwords.
    Plain,
}

/// Makes a list at the beginning of `to`, which is empty; `told` learns how many lines were read.
///
/// # Errors
/// Why there is none; what stands at `to` then is none either.
pub fn pack(
    from: impl BufRead,
    form: Form,
    to: impl Write + Seek,
    made: Millis,
    count_min: u64,
    told: impl FnMut(u64),
) -> Result<About, Unpacked> {
    let mut packing = Packing::new(to, made, count_min)?;
    match form {
        Form::Sha1 => hashes(from, &mut packing, told)?,
        Form::Plain => plain(from, &mut packing, told)?,
    }
    packing.finish()
}

fn hashes(
    mut from: impl BufRead,
    packing: &mut Packing<impl Write + Seek>,
    mut told: impl FnMut(u64),
) -> Result<(), Unpacked> {
    let (mut line, mut number) = (Vec::with_capacity(LINE_MAX), 0);
    while next(&mut from, &mut line, LINE_MAX)? {
        number += 1;
        let (value, count) = match hash(&line) {
            Some(found) => found,
            None if line.is_empty() => continue,
            None if is_ntlm(&line) => return Err(Unpacked::Ntlm(number)),
            None => return Err(Unpacked::NoHash(number)),
        };
        if packing.last.is_some_and(|last| value < last) {
            return Err(Unpacked::Unordered(number));
        }
        if count >= packing.about.count_min {
            packing.push(value)?;
        }
        if number % TOLD_EVERY == 0 {
            told(number);
        }
    }
    Ok(())
}

fn plain(
    mut from: impl BufRead,
    packing: &mut Packing<impl Write + Seek>,
    mut told: impl FnMut(u64),
) -> Result<(), Unpacked> {
    let mut line = Zeroizing::new(Vec::with_capacity(PASSWORD_MAX));
    let (mut values, mut number) = (Vec::new(), 0);
    while next(&mut from, &mut line, PASSWORD_MAX)? {
        number += 1;
        if line.is_empty() {
            continue;
        }
        if values.len() >= PASSWORDS_MAX {
            return Err(Unpacked::TooMany);
        }
        values.push(value(&Sha1::digest(line.as_slice()).into()));
        if number % TOLD_EVERY == 0 {
            told(number);
        }
    }
    values.sort_unstable();
    for value in &values {
        packing.push(*value)?;
    }
    values.zeroize();
    Ok(())
}

/// The next line without its end; whether there is one. A line that is too long is no line of a list.
fn next(from: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    line.clear();
    let bound = u64::try_from(most).unwrap_or(u64::MAX);
    from.take(bound + 1).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > most {
        return Err(io::ErrorKind::InvalidData.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(true)
}

/// The kept bits and the count of a line; one without a count was seen once.
fn hash(line: &[u8]) -> Option<(u64, u64)> {
    let (digits, rest) = line.split_at_checked(40)?;
    let mut value = 0;
    for (at, digit) in digits.iter().enumerate() {
        let digit = char::from(*digit).to_digit(16)?;
        if at < 12 {
            value = value << 4 | u64::from(digit);
        }
    }
    let count = match rest {
        [] => 1,
        [b':', count @ ..] if (1..=19).contains(&count.len()) => {
            let digits = count.iter().map(|c| char::from(*c).to_digit(10).map(u64::from));
            digits.into_iter().try_fold(0u64, |all, digit| Some(all * 10 + digit?))?
        }
        _ => return None,
    };
    Some((value, count))
}

fn is_ntlm(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|c| c.is_ascii_hexdigit()).count();
    digits == 32 && line.get(32).is_none_or(|c| *c == b':')
}

/// A list in the making.
struct Packing<W> {
    to: W,
    about: About,
    block: Vec<u8>,
    count: u16,
    last: Option<u64>,
}

impl<W: Write + Seek> Packing<W> {
    fn new(mut to: W, made: Millis, count_min: u64) -> io::Result<Self> {
        // The head is written last: what was cut off is no list.
        to.write_all(&[0; BLOCK])?;
        let about = About { made, entries: 0, blocks: 0, count_min };
        Ok(Self { to, about, block: Vec::with_capacity(BLOCK), count: 0, last: None })
    }

    fn push(&mut self, value: u64) -> io::Result<()> {
        let last = self.last.replace(value);
        if last == Some(value) {
            return Ok(());
        }
        self.about.entries += 1;
        let (mut bytes, mut length) = ([0; 10], 0);
        let mut left = value.saturating_sub(last.unwrap_or_default());
        for slot in &mut bytes {
            *slot = u8::try_from(left & 0x7f).unwrap_or_default();
            (left, length) = (left >> 7, length + 1);
            if left == 0 {
                break;
            }
            *slot |= 0x80;
        }
        if self.count > 0 && self.block.len() + length <= BLOCK {
            self.block.extend_from_slice(bytes.get(..length).unwrap_or_default());
            self.count += 1;
            return Ok(());
        }
        self.write_block()?;
        self.block.extend_from_slice(value.to_be_bytes().get(2..).unwrap_or_default());
        self.block.resize(BEFORE, 0);
        self.count = 1;
        Ok(())
    }

    fn write_block(&mut self) -> io::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        self.block.resize(BLOCK, 0);
        self.about.blocks += 1;
        let head = self.count.to_be_bytes();
        for (slot, byte) in self.block.iter_mut().skip(6).zip(head) {
            *slot = byte;
        }
        let sum = checksum(self.about.made, self.about.blocks, &self.block);
        for (slot, byte) in self.block.iter_mut().skip(8).zip(sum) {
            *slot = byte;
        }
        self.to.write_all(&self.block)?;
        self.block.clear();
        self.count = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<About, Unpacked> {
        self.write_block()?;
        if self.about.entries == 0 {
            return Err(Unpacked::Empty);
        }
        self.to.seek(SeekFrom::Start(0))?;
        self.to.write_all(&self.about.encode())?;
        self.to.flush()?;
        Ok(self.about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breach::Breached as _;
    use crate::packed::{Packed, ReadAt};
    use proptest::prelude::*;
    use std::fmt::Write as _;
    use std::io::Cursor;
    use std::sync::LazyLock;

    const MADE: Millis = Millis(1_795_340_467_000);

    impl ReadAt for Vec<u8> {
        fn read_at(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
            let at = usize::try_from(at).map_err(|_why| io::ErrorKind::InvalidInput)?;
            let there = self.get(at..).and_then(|rest| rest.get(..out.len()));
            out.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        }

        fn bytes(&self) -> io::Result<u64> {
            Ok(self.len() as u64)
        }
    }

    fn sha1(text: &str) -> [u8; 20] {
        Sha1::digest(text).into()
    }

    /// The public form of so many passwords, `word-0` to `word-n`, each seen as often as its number.
    fn published(count: u64) -> String {
        let mut lines: Vec<_> = (0..count)
            .map(|n| {
                let hex = sha1(&format!("word-{n}")).iter().fold(String::new(), |mut all, byte| {
                    let _ = write!(all, "{byte:02X}");
                    all
                });
                format!("{hex}:{n}\r\n")
            })
            .collect();
        lines.sort();
        lines.concat()
    }

    fn packed(text: &str, form: Form, count_min: u64) -> Result<Vec<u8>, Unpacked> {
        let mut to = Cursor::new(Vec::new());
        pack(text.as_bytes(), form, &mut to, MADE, count_min, |_| {})?;
        Ok(to.into_inner())
    }

    #[test]
    fn every_hash_of_the_public_list_is_found_and_no_other() {
        let bytes = packed(&published(6000), Form::Sha1, 0).expect("packed");
        assert!(bytes.len() > 4 * BLOCK && bytes.len() < 6000 * 8, "{}", bytes.len());
        let list = Packed::open(bytes).expect("opened");
        assert_eq!((list.about().entries, list.about().made), (6000, MADE));
        assert_eq!(list.about().one_in(), (1 << 48) / 6000);
        let mut blocks = 0;
        list.check(|_| blocks += 1).expect("whole");
        assert_eq!(blocks, list.about().blocks);
        for n in 0..6000 {
            assert!(list.holds(&sha1(&format!("word-{n}"))).expect("asked"), "{n}");
            assert!(!list.holds(&sha1(&format!("other-{n}"))).expect("asked"), "{n}");
        }
        for edge in [[0; 20], [255; 20]] {
            assert!(!list.holds(&edge).expect("asked"));
        }
    }

    #[test]
    fn rare_passwords_are_left_out_and_passwords_themselves_are_put_in_order() {
        let list =
            Packed::open(packed(&published(100), Form::Sha1, 90).expect("packed")).expect("one");
        assert_eq!((list.about().entries, list.about().count_min), (10, 90));
        assert!(list.holds(&sha1("word-90")).expect("asked"));
        assert!(!list.holds(&sha1("word-89")).expect("asked"));
        let plain = packed("tulip\nrose\r\n\ntulip", Form::Plain, 1).expect("packed");
        let list = Packed::open(plain).expect("one");
        assert_eq!(list.about().entries, 2);
        assert!(list.holds(&sha1("rose")).expect("asked"));
    }

    #[test]
    fn what_is_no_list_is_refused_by_the_number_of_its_line_and_not_by_its_text() {
        let line = |digits: usize| format!("{}:3\n", "A".repeat(digits));
        let said = |text: &str| packed(text, Form::Sha1, 1).expect_err(text).to_string();
        assert!(said(&line(32)).starts_with("line 1 is an NTLM hash"));
        assert!(
            said(&format!("{}{}", line(40), "0".repeat(40))).starts_with("line 2 comes before")
        );
        for bad in ["hunter2\n", &line(39), &line(41), &format!("{}:x\n", "A".repeat(40))] {
            let said = said(bad);
            assert!(said.starts_with("line 1 is no SHA-1") && !said.contains("hunter2"), "{said}");
        }
        assert!(said(&"A".repeat(70)).contains("cannot be read"));
        assert!(said("\n").contains("no line was taken in"));
    }

    #[test]
    fn a_list_that_is_cut_off_altered_or_put_together_from_two_is_damaged() {
        let whole = packed(&published(6000), Form::Sha1, 0).expect("packed");
        let code = |bytes: Vec<u8>| Packed::open(bytes).expect_err("damaged").code().name;
        for cut in [0, 100, BLOCK, whole.len() - 1] {
            assert_eq!(code(whole[..cut].to_vec()), "identity.password-list.damaged");
        }
        let longer = [whole.as_slice(), &[0; BLOCK]].concat();
        assert_eq!(code(longer), "identity.password-list.damaged");
        let mut head = whole.clone();
        head[30] ^= 1;
        assert_eq!(code(head), "identity.password-list.damaged");
        // Two blocks that changed places, each whole in itself.
        let mut swapped = whole;
        swapped.copy_within(BLOCK..2 * BLOCK, 2 * BLOCK);
        let list = Packed::open(swapped).expect("its head is whole");
        assert_eq!(
            list.check(|_| {}).expect_err("damaged").code().name,
            "identity.password-list.damaged"
        );
    }

    static LIST: LazyLock<Vec<u8>> =
        LazyLock::new(|| packed(&published(5000), Form::Sha1, 0).expect("packed"));

    proptest! {
        #[test]
        fn a_flipped_bit_is_a_fault_or_changes_no_answer(at in 0usize..200_000, bit in 0u8..8, n in 0u64..5000) {
            let mut bytes = LIST.clone();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(list) = Packed::open(bytes) {
                let answer = list.holds(&sha1(&format!("word-{n}")));
                prop_assert!(answer.is_err() || answer == Ok(true));
            }
        }

        #[test]
        fn no_bytes_make_reader_or_packer_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), blocks in 0u64..4) {
            let mut to = Cursor::new(Vec::new());
            let _ = pack(bytes.as_slice(), Form::Sha1, &mut to, MADE, 1, |_| {});
            let _ = pack(bytes.as_slice(), Form::Plain, &mut to, MADE, 1, |_| {});
            let about = About { made: MADE, entries: 9, blocks, count_min: 1 };
            let mut list = about.encode().to_vec();
            for number in 1..=blocks {
                let mut block = bytes.clone();
                block.resize(BLOCK, 0xff);
                let sum = checksum(MADE, number, &block);
                block[8..16].copy_from_slice(&sum);
                list.extend(block);
            }
            let list = Packed::open(list).expect("its head is whole");
            let _ = (list.holds(&[7; 20]), list.check(|_| {}));
        }
    }
}
