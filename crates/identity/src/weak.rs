//! Which passwords are too easily guessed (NIST SP 800-63B 5.1.1.2): too short, made of the name of
//! the person or the site, or of repeats, rows of the keyboard and everyday words. There are no
//! rules of composition: they make passwords worse.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

/// The fewest scalar values of a password.
pub(crate) const CHARS_MIN: usize = 12;
/// The most scalar values of a password.
pub(crate) const CHARS_MAX: usize = 256;
/// Bytes that are looked at at all, so that normalising is bounded.
const BYTES_MAX: usize = CHARS_MAX * 8;
/// The fewest parts a guesser must find: a run, a word or a year is one or two.
const PARTS_MIN: usize = 8;
/// A unit this short that makes the whole password by being repeated is no password.
const UNIT_MAX: usize = 8;
/// Names shorter than this say nothing by being contained.
const NAME_MIN: usize = 4;

/// Rows and columns of keyboards, walked either way.
const WALKS: [&str; 18] = [
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik",
    "9ol",
];

/// Words that come first to mind when a clinic's program asks for a password.
const WORDS: [&str; 38] = [
    "password",
    "passwort",
    "passord",
    "contrasena",
    "motdepasse",
    "welcome",
    "willkommen",
    "letmein",
    "changeme",
    "change",
    "default",
    "secret",
    "admin",
    "administrator",
    "root",
    "login",
    "user",
    "test",
    "temp",
    "hello",
    "plummer",
    "hospital",
    "clinic",
    "doctor",
    "nurse",
    "health",
    "medical",
    "medicine",
    "patient",
    "spring",
    "summer",
    "autumn",
    "winter",
    "monday",
    "friday",
    "january",
    "dragon",
    "iloveyou",
];

/// Why a password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakness {
    /// Fewer than 12 scalar values.
    Short,
    /// More than 256.
    Long,
    /// It has the sign-in name, the display name or a site's name in it.
    Name,
    /// Repeats, sequences, rows of the keyboard or everyday words.
    Guessable,
    /// It is in the site's list of passwords that were found elsewhere.
    Breached,
}

impl Weakness {
    /// What to do, in a sentence.
    pub(crate) const fn say(self) -> &'static str {
        match self {
            Self::Short => {
                "Choose a password of at least 12 characters; four unrelated words do well."
            }
            Self::Long => "Choose a password of at most 256 characters.",
            Self::Name => {
                "Choose a password without your name, your sign-in name or the name of the site."
            }
            Self::Guessable => {
                "Choose a password that is not made of repeats, sequences, rows of keys or everyday words."
            }
            Self::Breached => {
                "Choose another password: this one is in a published list of passwords stolen elsewhere."
            }
        }
    }
}

/// The text that is hashed: NFKC, so that every keyboard makes the same password of the same
/// characters. `None` when it cannot be a password, being too long.
pub(crate) fn normalise(typed: &str) -> Option<Zeroizing<String>> {
    if typed.len() > BYTES_MAX {
        return None;
    }
    // All the space there can be at once, so that no smaller buffer is left behind unwiped.
    let mut text = Zeroizing::new(String::with_capacity(BYTES_MAX * 18));
    text.extend(typed.nfkc());
    (text.chars().count() <= CHARS_MAX).then_some(text)
}

/// Why `password` (normalised) must not be used by somebody with these names.
pub(crate) fn find(password: &str, names: &[&str]) -> Option<Weakness> {
    let count = password.chars().count();
    if count < CHARS_MIN {
        return Some(Weakness::Short);
    }
    if count > CHARS_MAX {
        return Some(Weakness::Long);
    }
    let folded = Folded(plain(password));
    let words = names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    let whole = names.iter().copied();
    for name in words.chain(whole) {
        let name = Folded(plain(name));
        if name.0.len() >= NAME_MIN && holds(&folded.0, &name.0) {
            return Some(Weakness::Name);
        }
    }
    let guessable = periodic(&folded.0) || parts(&folded.0) < PARTS_MIN;
    guessable.then_some(Weakness::Guessable)
}

/// Characters of a password, wiped when dropped.
struct Folded(Vec<char>);

impl Drop for Folded {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Lower case, with the usual disguises of letters taken off.
fn plain(text: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_lowercase) {
        out.push(match c {
            '@' => 'a',
            '$' => 's',
            '!' => 'i',
            c => c,
        });
    }
    out
}

/// The letter a digit stands for in `p4ssw0rd`.
const fn letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        c => c,
    }
}

fn same(a: char, b: char) -> bool {
    a == b || letter(a) == letter(b)
}

fn begins(text: &[char], word: &[char]) -> bool {
    text.len() >= word.len() && text.iter().zip(word).all(|(a, b)| same(*a, *b))
}

fn holds(text: &[char], word: &[char]) -> bool {
    (0..text.len()).any(|at| text.get(at..).is_some_and(|rest| begins(rest, word)))
}

/// Whether a short unit makes the whole by being repeated.
fn periodic(text: &[char]) -> bool {
    (1..=UNIT_MAX.min(text.len() / 2))
        .any(|unit| text.iter().zip(text.iter().skip(unit)).all(|(a, b)| a == b))
}

/// How many parts a guesser has to find: an everyday word or a year is one, a run of three or more
/// neighbours two (where it begins and how long it is), any other character one.
fn parts(text: &[char]) -> usize {
    let words: Vec<Vec<char>> = WORDS.iter().map(|word| word.chars().collect()).collect();
    let mut count = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let word = words.iter().filter(|word| begins(rest, word)).map(Vec::len).max();
        let run = run(rest);
        let (taken, cost) = match word {
            Some(length) if length >= run => (length, 1),
            _ if year(rest) && run < 4 => (4, 1),
            _ if run >= 3 => (run, 2),
            _ => (1, 1),
        };
        count += cost;
        rest = rest.get(taken..).unwrap_or_default();
    }
    count
}

fn year(text: &[char]) -> bool {
    let century = text.starts_with(&['1', '9']) || text.starts_with(&['2', '0']);
    century && text.iter().take(4).filter(|c| c.is_ascii_digit()).count() == 4
}

/// How many characters from the first on are each a neighbour of the one before, in one manner.
fn run(text: &[char]) -> usize {
    let steps = [-1i64, 0, 1].map(|step| {
        1 + text
            .iter()
            .zip(text.iter().skip(1))
            .take_while(|(a, b)| i64::from(u32::from(**b)) - i64::from(u32::from(**a)) == step)
            .count()
    });
    let walks = WALKS.iter().flat_map(|walk| [walked(text, walk, false), walked(text, walk, true)]);
    steps.into_iter().chain(walks).max().unwrap_or(1)
}

fn walked(text: &[char], walk: &str, back: bool) -> usize {
    let keys: Vec<char> = if back { walk.chars().rev().collect() } else { walk.chars().collect() };
    let Some(start) = text.first().and_then(|first| keys.iter().position(|key| key == first))
    else {
        return 1;
    };
    text.iter().zip(keys.iter().skip(start)).take_while(|(a, b)| a == b).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(password: &str) -> Option<Weakness> {
        let text = normalise(password)?;
        find(&text, &["j.lovelace@clinic.example", "Ada Lovelace", "Riverside"])
    }

    #[test]
    fn length_is_counted_in_scalar_values() {
        assert_eq!(judged("kx7#mq2vt9z"), Some(Weakness::Short));
        assert_eq!(judged("kx7#mq2vt9zp"), None);
        assert_eq!(judged("äöüßéèçñøåþð"), None, "twelve, in more bytes");
        assert!(normalise(&"aö".repeat(128)).is_some());
        assert!(normalise(&"aö".repeat(129)).is_none());
    }

    #[test]
    fn one_password_is_one_text_on_every_keyboard() {
        let (composed, apart) = (normalise("Zürich am Meer"), normalise("Zu\u{308}rich am Meer"));
        assert_eq!(composed, apart);
        assert_eq!(normalise("ｐassword").expect("short").as_str(), "password");
    }

    #[test]
    fn names_are_found_in_any_case_and_disguise() {
        for bad in
            ["xkLOVELACE77qvw", "l0vel4ce-kx7#mq2", "my-riverside-kx7#", "kx7#mq2.Lovelace@clinic"]
        {
            assert_eq!(judged(bad), Some(Weakness::Name), "{bad}");
        }
        assert_eq!(judged("Ada kx7#mq2vt9"), None, "three letters say nothing");
    }

    #[test]
    fn repeats_sequences_walks_and_everyday_words_are_refused() {
        for bad in [
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "kx7#kx7#kx7#",
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "123456789012",
            "098765432109",
            "qwertyuiop12",
            "1qaz2wsx3edc",
            "qwertzuiopasdf",
            "Password1234",
            "P@ssw0rd2026",
            "Welcome2026!",
            "Summer2026!!",
            "changeme12345",
            "hospital2025",
            "admin-admin-1",
            "letmein123456",
        ] {
            assert_eq!(judged(bad), Some(Weakness::Guessable), "{bad}");
        }
    }

    #[test]
    fn phrases_and_drawn_passwords_are_taken() {
        for good in [
            "correct horse battery staple",
            "tulpen in rotterdam",
            "9f2c71ab04de",
            "wir essen um halb acht",
            "my password is a long one",
            "x7Kp-mQ2v-t9Zr",
        ] {
            assert_eq!(judged(good), None, "{good}");
        }
    }
}
