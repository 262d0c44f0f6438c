//! What people are told of a refusal, in the language of the page. The crates that refuse say it in English, and
//! their codes stay as they are; here a sentence of theirs is found in the catalogue and said in the other
//! language. One that is not there is never shown in a language that its reader did not ask for: they are told
//! that it failed, and what to do.

use base::Fault;
use base::error::code;
use console::{Lang, Word, sign_in_words as words};

/// What the crates below say: each to the letter.
const THEIRS: &[Word] = &[
    words::TOLD_REFUSED,
    words::TOLD_WAIT,
    words::TOLD_ENDED,
    words::TOLD_MUST_CHANGE,
    words::TOLD_STOLEN,
    words::TOLD_BUSY,
    words::TOLD_BUSY_NOW,
    words::TOLD_FULL,
    words::TOLD_SHORT,
    words::TOLD_LONG,
    words::TOLD_HAS_NAME,
    words::TOLD_GUESSABLE,
    words::TOLD_PUBLISHED,
    words::TOLD_SAME_GIVEN,
    words::TOLD_SAME,
    words::TOLD_NO_PASSKEY,
    words::TOLD_TOO_MANY,
    words::TOLD_CALLED,
    words::TOLD_LAST_FACTOR,
    words::TOLD_NO_FACTOR,
    words::TOLD_UNBELIEVED,
    words::TOLD_UNREACHED,
    words::TOLD_NOT_TAKEN,
    words::TOLD_MANY_NOW,
    words::TOLD_UNKNOWN_APP,
    words::TOLD_REQUEST_OVER,
    words::TOLD_REQUESTS_FULL,
    words::TOLD_LAUNCHES_FULL,
];

/// What this door says.
const OWN: &[Word] = &[
    words::TOLD_NOT_ALIKE,
    words::TOLD_WHICH,
    words::TOLD_BUTTON,
    words::TOLD_NAMED_HOST,
    words::TOLD_OVER,
    words::TOLD_ANSWER,
    words::TOLD_SHOWN_APP,
    words::TOLD_NO_PATIENT,
    words::TOLD_NO_ENCOUNTER,
    words::TOLD_FORM_OLD,
    words::TOLD_FOREIGN,
    words::TOLD_NOTHING,
];

/// What is told of a fault.
pub(super) fn told(fault: &Fault, lang: Lang) -> String {
    let say = fault.issues.first().map(|issue| issue.diagnostics.as_str()).unwrap_or_default();
    let general = match fault.code() == &code::NOT_FOUND {
        true => words::TOLD_NOTHING,
        false => console::why(fault),
    };
    said(say, lang).unwrap_or_else(|| general.of(lang).to_owned())
}

/// A sentence of a crate below, in a language; `None` for one that the catalogue does not have.
pub(super) fn said(say: &str, lang: Lang) -> Option<String> {
    if lang == Lang::En {
        return Some(say.to_owned()).filter(|say| !say.is_empty());
    }
    THEIRS.iter().chain(OWN).find_map(|word| match word.of(Lang::En).split_once("{}") {
        None => (word.of(Lang::En) == say).then(|| word.of(lang).to_owned()),
        Some((begin, end)) => {
            let inside = say.strip_prefix(begin)?.strip_suffix(end)?;
            Some(word.with(lang, inside))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_sentence_is_said_in_the_language_of_the_page_and_its_number_stays() {
        let wait = "There were too many attempts. Try again in 8 seconds.";
        let fault = Fault::new(&code::SIGN_IN_BACK_OFF, wait);
        assert_eq!(told(&fault, Lang::En), wait);
        let wait = "Hubo demasiados intentos. Inténtelo de nuevo dentro de 8 segundos.";
        assert_eq!(told(&fault, Lang::Es), wait);
    }

    #[test]
    fn a_sentence_that_has_no_translation_is_not_shown_to_who_did_not_ask_for_it() {
        let fault = Fault::new(&code::STORE_UNAVAILABLE, "the disk is full");
        assert_eq!(told(&fault, Lang::En), "the disk is full");
        let said = told(&fault, Lang::Es);
        assert!(said.starts_with("No se cambió nada."), "{said}");
        let elsewhere = Fault::new(&code::NOT_FOUND, "there is no Patient/7");
        assert_eq!(told(&elsewhere, Lang::Es), "Aquí no hay nada.");
        let empty = Fault::new(&code::STORE_UNAVAILABLE, "");
        assert!(told(&empty, Lang::En).starts_with("Nothing was changed."));
    }

    #[test]
    fn every_sentence_is_said_to_the_letter_by_a_crate_that_refuses() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut source = String::new();
        for folder in ["identity/src", "federation/src", "smart/src"] {
            for file in std::fs::read_dir(crates.join(folder)).expect("a folder") {
                let path = file.expect("a file").path();
                if path.extension().is_some_and(|ext| ext == "rs") {
                    source.push_str(&std::fs::read_to_string(path).expect("text"));
                }
            }
        }
        for part in THEIRS.iter().flat_map(|word| word.of(Lang::En).split("{}")) {
            assert!(source.contains(part), "nobody says: {part}");
        }
    }
}
