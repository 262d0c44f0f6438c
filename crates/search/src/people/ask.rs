//! What one line in a find box asks for: names, a date of birth, numbers. Nothing is dropped in
//! silence: a line of which a part cannot be understood is refused, for an answer to the rest would
//! show other people than were asked for.

use super::{Span, dates, digits, squeeze, words};
use crate::fold::fold;

/// Characters of a line: no name with all else that is known of somebody is longer.
pub const LINE_CHARS_MAX: usize = 200;
/// Words of a name.
const WORDS_MAX: usize = 6;
/// Numbers, and dates, of a line.
const NUMBERS_MAX: usize = 4;
/// Digits from which on a number may be the end of a phone's.
const PHONE_DIGITS_MIN: usize = super::key::PHONE_DIGITS_MIN;
/// Signs from which on a number may be what a payer calls the patient.
const MEMBER_CHARS_MIN: usize = 5;
/// Tokens of a date that is written with blanks: `14 de marzo de 1961`.
const DATE_TOKENS_MAX: usize = 5;
const DAY_MS: i64 = 86_400_000;

/// What is asked for. Every part must hold; of a part, any of its readings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// Parts of a name.
    pub names: Option<Names>,
    /// Dates of birth, each with its readings.
    pub born: Vec<Vec<Span>>,
    /// Numbers.
    pub numbers: Vec<Number>,
}

/// Parts of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// As they were typed, squeezed; at least one.
    pub words: Vec<String>,
    /// How many of them, from the first, a comma marks as the family's name.
    pub family: Option<usize>,
}

/// One way to take the words of a name: at least one of both is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The family name, or its beginning; empty when none is asked for.
    pub family: String,
    /// Given names or their beginnings.
    pub givens: Vec<String>,
}

/// A number, and what it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Number {
    /// As it was typed, without signs around it.
    pub text: String,
    /// Its digits.
    pub digits: String,
    /// An identifier, or the beginning of one.
    pub identifier: bool,
    /// The last digits of a phone.
    pub phone: bool,
    /// What a payer calls the patient.
    pub member: bool,
    /// Birth dates that it may be: a year, or eight digits.
    pub born: Vec<Span>,
}

/// What of a patient whoever asks may see, and so find by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// `name`
    pub name: bool,
    /// `birthDate`
    pub born: bool,
    /// `telecom`
    pub phone: bool,
    /// `identifier`
    pub identifier: bool,
    /// `Coverage.identifier`
    pub member: bool,
}

/// Why a line is not a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misread {
    /// Nothing in it names anybody.
    Empty,
    /// It is longer, or has more parts, than a question may.
    TooLong,
}

/// What the next number is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Identifier,
    Phone,
    Member,
    Born,
}

struct Token<'t> {
    text: &'t str,
    /// A comma follows.
    comma: bool,
}

impl Question {
    /// Reads a line. `year_now` is the present year: nobody is born after it.
    ///
    /// # Errors
    /// When nothing in it names anybody, or it is too long.
    pub fn read(line: &str, year_now: u32) -> Result<Self, Misread> {
        if line.chars().count() > LINE_CHARS_MAX {
            return Err(Misread::TooLong);
        }
        let tokens = tokens(line);
        let mut question = Self::default();
        let mut names = Names { words: Vec::new(), family: None };
        let (mut at, mut label) = (0, None);
        while let Some(token) = tokens.get(at) {
            if let Some(found) = labelled(token.text, tokens.get(at + 1), label) {
                label = Some(found);
                at += 1;
                continue;
            }
            let said = label.take();
            if let Some((read, born)) = date_at(&tokens, at, said, year_now) {
                question.born.push(born);
                at += read;
                continue;
            }
            if token.text.contains(|c: char| c.is_ascii_digit()) {
                let (read, text) = number_at(&tokens, at);
                question.numbers.push(Number::read(&text, said, year_now));
                at += read;
                continue;
            }
            names.words.extend(words(token.text));
            if token.comma && names.family.is_none() && !names.words.is_empty() {
                names.family = Some(names.words.len());
            }
            at += 1;
        }
        if names.words.len() > WORDS_MAX
            || question.numbers.len() > NUMBERS_MAX
            || question.born.len() > NUMBERS_MAX
        {
            return Err(Misread::TooLong);
        }
        if question.numbers.len() == 1 && names.words.is_empty() && question.born.is_empty() {
            // A year alone would be everybody born in it; a number alone is a number.
            for number in &mut question.numbers {
                if number.born.iter().all(|(low, high)| high - low >= DAY_MS)
                    && (number.identifier || number.phone)
                {
                    number.born.clear();
                }
            }
        }
        question.names = (!names.words.is_empty()).then_some(names);
        if question == Self::default() { Err(Misread::Empty) } else { Ok(question) }
    }

    /// The question to somebody from whom parts of a patient are hidden: what may not be seen is not
    /// looked for. `None` when a part of it has no reading left.
    pub fn within(mut self, seen: &Seen) -> Option<Self> {
        if (self.names.is_some() && !seen.name) || (!self.born.is_empty() && !seen.born) {
            return None;
        }
        for number in &mut self.numbers {
            number.identifier &= seen.identifier;
            number.phone &= seen.phone;
            number.member &= seen.member;
            if !seen.born {
                number.born.clear();
            }
            if !number.identifier && !number.phone && !number.member && number.born.is_empty() {
                return None;
            }
        }
        Some(self)
    }

    /// Only the names of it, if there are any and there is more to it.
    pub fn names_alone(&self) -> Option<Self> {
        let more = !self.born.is_empty() || !self.numbers.is_empty();
        let names = self.names.clone().filter(|_| more)?;
        Some(Self { names: Some(names), ..Self::default() })
    }
}

impl Names {
    /// Every way to take the words as a family and given names.
    pub fn splits(&self) -> Vec<Split> {
        let all = self.words.as_slice();
        let split = |family: &[String], givens: &[String]| Split {
            family: family.concat(),
            givens: givens.to_vec(),
        };
        if let Some((family, givens)) = self.family.and_then(|n| all.split_at_checked(n)) {
            return vec![split(family, givens)];
        }
        let mut out = vec![split(all, &[]), split(&[], all)];
        for (one, other) in (1..all.len()).filter_map(|n| all.split_at_checked(n)) {
            out.push(split(one, other));
            out.push(split(other, one));
        }
        out
    }
}

impl Number {
    fn read(text: &str, label: Option<Label>, year_now: u32) -> Self {
        let text = text.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let found = digits(&text);
        let plain = !text.contains(char::is_alphabetic);
        let mut born: Vec<Span> = dates::year(&text, year_now).into_iter().collect();
        if found.len() == 8 && found == text {
            born = dates::read(&text, year_now);
        }
        let long = text.chars().filter(|c| c.is_alphanumeric()).count() >= MEMBER_CHARS_MIN;
        let unsaid = label.is_none();
        Self {
            identifier: unsaid || label == Some(Label::Identifier),
            phone: (unsaid || label == Some(Label::Phone))
                && plain
                && found.len() >= PHONE_DIGITS_MIN,
            member: (unsaid && long) || label == Some(Label::Member),
            born: if unsaid { born } else { Vec::new() },
            text,
            digits: found,
        }
    }

    /// The spellings of it that an identifier may have: as typed, in capitals and small letters, and
    /// without what parts its digits; nine digits as the United States write a social security number.
    pub fn spellings(&self) -> Vec<String> {
        let mut out = vec![self.text.clone(), self.text.to_uppercase(), self.text.to_lowercase()];
        if !self.text.contains(char::is_alphabetic) {
            out.push(self.digits.clone());
            if self.digits.len() == 9
                && let (Some(a), Some(b), Some(c)) =
                    (self.digits.get(..3), self.digits.get(3..5), self.digits.get(5..))
            {
                out.push(format!("{a}-{b}-{c}"));
            }
        }
        out.retain(|text| !text.is_empty());
        out.sort_unstable();
        out.dedup();
        out
    }
}

fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut out: Vec<Token<'_>> = Vec::new();
    for word in line.split_whitespace() {
        let mut pieces = word.split([',', ';']).peekable();
        while let Some(piece) = pieces.next() {
            let comma = pieces.peek().is_some();
            // `MRN:00123` is two tokens, and so is `#00123`.
            let cut = piece.find([':', '#']).filter(|at| at + 1 < piece.len());
            match cut.and_then(|at| piece.split_at_checked(at + 1)) {
                Some((one, other)) => {
                    out.push(Token { text: one, comma: false });
                    out.push(Token { text: other, comma });
                }
                None if piece.is_empty() => {
                    if let Some(last) = out.last_mut() {
                        last.comma |= comma;
                    }
                }
                None => out.push(Token { text: piece, comma }),
            }
        }
    }
    out
}

/// What a token says of the number behind it; `before` is what the token before has said.
fn labelled(text: &str, next: Option<&Token<'_>>, before: Option<Label>) -> Option<Label> {
    let has_digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    let word = squeeze(text);
    if before.is_some() && next.is_some() && matches!(word.as_str(), "id" | "no" | "number") {
        return before;
    }
    if word.is_empty() {
        return text.ends_with('#').then_some(Label::Identifier);
    }
    let next = next?.text;
    let label = match word.as_str() {
        "mrn" | "id" | "chart" | "nhs" | "ssn" | "expediente" => Label::Identifier,
        "tel" | "phone" | "ph" | "mobile" | "cell" | "telefono" | "movil" => Label::Phone,
        "member" | "policy" | "insurance" | "subscriber" | "poliza" => Label::Member,
        "dob" | "born" | "birth" | "birthdate" | "nacido" | "nacida" => Label::Born,
        _ => return None,
    };
    let follows = has_digit(next) || matches!(squeeze(next).as_str(), "id" | "no" | "number");
    (follows || (label == Label::Born && !next.is_empty())).then_some(label)
}

/// A date that begins at a token: how many tokens it takes, and its readings.
fn date_at(
    tokens: &[Token<'_>],
    at: usize,
    label: Option<Label>,
    year_now: u32,
) -> Option<(usize, Vec<Span>)> {
    if label.is_some_and(|label| label != Label::Born) {
        return None;
    }
    for take in (2..=DATE_TOKENS_MAX).rev() {
        let Some(some) = tokens.get(at..at + take) else { continue };
        let joined: Vec<&str> = some.iter().map(|token| token.text).collect();
        let readings = dates::read(&fold(&joined.join(" ")), year_now);
        // `april 1961` is somebody of that name as well as a month.
        if !readings.is_empty() && readings.iter().all(|(low, high)| high - low < DAY_MS) {
            return Some((take, readings));
        }
    }
    let text = tokens.get(at)?.text;
    // Eight digits may be a number just as well.
    let digits_only = text.bytes().all(|b| b.is_ascii_digit());
    let readings = match digits_only && label.is_none() {
        true => Vec::new(),
        false => dates::read(&fold(text), year_now),
    };
    let readings = match (readings.is_empty(), label) {
        (true, Some(Label::Born)) => dates::year(text, year_now).into_iter().collect(),
        _ => readings,
    };
    (!readings.is_empty()).then_some((1, readings))
}

/// A number that begins at a token: a phone's groups of digits are one number.
fn number_at(tokens: &[Token<'_>], at: usize) -> (usize, String) {
    let group = |n: usize| {
        let text = tokens.get(at + n)?.text;
        let plain = text.chars().all(|c| c.is_ascii_digit() || "()+-.".contains(c));
        plain.then(|| digits(text).len()).filter(|len| *len > 0)
    };
    let lens: Vec<usize> = (0..4).map_while(group).collect();
    let take = match lens.as_slice() {
        [1, 3, 3, 4] => 4,
        [3, 3, 4, ..] | [1, 3, 7, ..] => 3,
        [3, 7, ..] | [3, 4, ..] => 2,
        _ => 1,
    };
    let texts: Vec<&str> = tokens.iter().skip(at).take(take).map(|token| token.text).collect();
    (take, texts.join("-"))
}

#[cfg(test)]
mod tests;
