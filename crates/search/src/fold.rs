//! Folding: the form in which texts are compared without regard to case, accents and white space
//! (<https://hl7.org/fhir/R4/search.html#string>).

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds a text: compatibility decomposition, no combining marks, lower case, white space collapsed
/// to single blanks and trimmed; letters that do not decompose (`ß`, `ø`, `ł` …) become their usual
/// plain spelling.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

/// Appends the folded text to `out`.
pub fn fold_into(text: &str, out: &mut String) {
    let from = out.len();
    if text.is_ascii() {
        for c in text.chars() {
            push(c.to_ascii_lowercase(), from, out);
        }
    } else {
        // Lower case may decompose once more, and only then be a letter with a plain spelling.
        let lower = text.nfkd().flat_map(char::to_lowercase).nfkd();
        for c in lower.filter(|c| !is_combining_mark(*c)) {
            match plain(c) {
                Some(spelling) => out.push_str(spelling),
                None => push(c, from, out),
            }
        }
    }
    if out.len() > from && out.ends_with(' ') {
        out.pop();
    }
}

fn push(c: char, from: usize, out: &mut String) {
    if !c.is_whitespace() {
        out.push(c);
    } else if out.len() > from && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// Small letters with a plain spelling that Unicode does not decompose.
const fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'ŧ' => "t",
        'þ' => "th",
        'ŋ' => "n",
        'ĸ' => "k",
        'ƒ' => "f",
        'ς' => "σ",
        '’' | '‘' => "'",
        '‐' | '‑' | '–' | '—' => "-",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_case_accents_and_blanks() {
        for (from, to) in [
            ("Smith", "smith"),
            ("  van   der\tBerg \n", "van der berg"),
            ("Müller", "muller"),
            ("Mu\u{308}ller", "muller"),
            ("STRAßE", "strasse"),
            ("Łukasz Øster Æbelø", "lukasz oster aebelo"),
            ("Đặng", "dang"),
            ("İstanbul ılık", "istanbul ilik"),
            ("ﬁne Ⅳ", "fine iv"),
            ("Ƒ", "f"),
            ("ẞÆŒÐÞ", "ssaeoedth"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
            ("O’Brien", "o'brien"),
            ("   ", ""),
            ("", ""),
        ] {
            assert_eq!(fold(from), to, "{from}");
            assert_eq!(fold(&fold(from)), to, "folding twice changes nothing: {from}");
        }
    }

    #[test]
    fn every_character_folds_to_what_stays() {
        for c in '\0'..=char::MAX {
            let once = fold(c.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    #[test]
    fn appends_without_touching_what_is_there() {
        let mut out = "a ".to_owned();
        fold_into("  ", &mut out);
        fold_into(" B ", &mut out);
        assert_eq!(out, "a b");
    }
}
