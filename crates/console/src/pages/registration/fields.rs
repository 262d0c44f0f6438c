//! The fields of a registration, the same when somebody comes and when something changed: labels, what is
//! wrong at each, and what was typed kept (WCAG 2.2, 1.3.5, 3.3.1 to 3.3.3).

use crate::days;
use crate::parts::{Field, Icon, error_summary, field, icon};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use maud::{Markup, html};
use registration::intake::{GENDERS, Intake, KINDS, SEXES, WAYS, Wrong, YES};

/// Languages that are offered: those most spoken in the United States, and the tag each has; a record's
/// own stays beside them.
const LANGUAGES: [(&str, &str); 13] = [
    ("en", "English"),
    ("es", "Español"),
    ("zh", "中文"),
    ("vi", "Tiếng Việt"),
    ("tl", "Tagalog"),
    ("ar", "العربية"),
    ("ko", "한국어"),
    ("ru", "Русский"),
    ("fr", "Français"),
    ("ht", "Kreyòl ayisyen"),
    ("pt", "Português"),
    ("hmn", "Hmoob"),
    ("ase", "American Sign Language"),
];

/// A form with what is wrong in it.
pub(super) struct Shown<'f> {
    pub(super) intake: &'f Intake,
    /// The date of birth as it was typed: it is read only when it can be.
    pub(super) born: &'f str,
    pub(super) wrong: &'f [(&'static str, Wrong)],
    /// What stands in the record by now, where somebody else changed it.
    pub(super) now: Option<&'f Intake>,
    /// Another number is asked for.
    pub(super) is_new: bool,
}

/// Reads the fields; a date of birth is understood in any form, and kept as it was typed when it is not.
pub(super) fn read(visit: &Visit) -> (Intake, String) {
    let mut intake = Intake::read(|name| visit.field(name));
    let typed = visit.field("birth_date").trim().to_owned();
    let today = days::day_at(visit.now(), &visit.zone);
    if fhir::date::parse(&typed).is_none()
        && let [day] = days::typed(&typed, today).as_slice()
    {
        intake.birth_date = day.to_string();
    }
    (intake, typed)
}

/// The labels of the fields.
pub(super) fn label(name: &str) -> Word {
    match name {
        "family" => words::INTAKE_FAMILY,
        "given" => words::INTAKE_GIVEN,
        "suffix" => words::INTAKE_SUFFIX,
        "used" => words::INTAKE_USED,
        "birth_date" => words::INTAKE_BORN,
        "birth_unknown" => words::INTAKE_BORN_UNKNOWN,
        "gender" => words::GENDER,
        "sex_clinical" => words::INTAKE_SEX,
        "pronouns" => words::INTAKE_PRONOUNS,
        "line" | "private_line" => words::INTAKE_LINE,
        "line_more" => words::INTAKE_LINE_MORE,
        "city" | "private_city" => words::INTAKE_CITY,
        "state" | "private_state" => words::INTAKE_STATE,
        "postal_code" | "private_postal_code" => words::INTAKE_POSTAL_CODE,
        "country" => words::INTAKE_COUNTRY,
        "private_phone" => words::INTAKE_PRIVATE_PHONE,
        "private_text" => words::INTAKE_PRIVATE_TEXT,
        "private_email" => words::INTAKE_PRIVATE_EMAIL,
        "mobile" => words::INTAKE_MOBILE,
        "home_phone" => words::INTAKE_HOME_PHONE,
        "email" => words::EMAIL,
        "prefers" => words::INTAKE_PREFERS,
        "language" => words::INTAKE_LANGUAGE,
        "interpreter" => words::INTAKE_INTERPRETER,
        "contact_name" => words::INTAKE_CONTACT,
        "contact_relation" => words::INTAKE_RELATION,
        "contact_phone" => words::INTAKE_CONTACT_PHONE,
        "other_kind" => words::INTAKE_OTHER_KIND,
        _ => words::INTAKE_OTHER_NUMBER,
    }
}

/// The label where the field stands alone: of two streets it says which is confidential.
pub(super) fn whole_label(name: &str, lang: Lang) -> String {
    let own = label(name).of(lang);
    let says_so = ["private_phone", "private_text", "private_email"].contains(&name);
    match name.starts_with("private_") && !says_so {
        true => words::INTAKE_PRIVATE_MARK.with(lang, own),
        false => own.to_owned(),
    }
}

/// The value of a field as people read it.
pub(super) fn said(name: &str, value: &str, lang: Lang) -> String {
    match name {
        "birth_date" => days::shown(value, lang),
        "gender" => gender(value).of(lang).to_owned(),
        "sex_clinical" => sex(value).of(lang).to_owned(),
        "prefers" => label(value).of(lang).to_owned(),
        "interpreter" | "private_text" => words::INTAKE_YES.of(lang).to_owned(),
        "language" => {
            let known = LANGUAGES.iter().find(|(tag, _)| *tag == value);
            known.map_or(value, |(_, name)| name).to_owned()
        }
        _ => value.to_owned(),
    }
}

/// What is wrong, at the head of the form.
pub(super) fn summary(shown: &Shown<'_>, lang: Lang) -> Markup {
    if shown.wrong.is_empty() {
        return html! {};
    }
    let says: Vec<(&str, String)> = shown
        .wrong
        .iter()
        .map(|(name, what)| {
            (*name, format!("{}: {}", whole_label(name, lang), say(*what).of(lang)))
        })
        .collect();
    let all: Vec<(&str, &str)> = says.iter().map(|(name, say)| (*name, say.as_str())).collect();
    error_summary(lang, &all)
}

/// All fields.
pub(super) fn all(shown: &Shown<'_>, lang: Lang) -> Markup {
    let text = |name: &str, hint: Option<Word>| text(shown, name, hint, lang);
    let group = |id: &str, title: Word, body: &Markup| {
        html! { section.panel aria-labelledby=(id) {
            div.panel-head { h2 id=(id) { (title.of(lang)) } }
            div.intake { (body) }
        } }
    };
    html! {
        (group("of-name", words::INTAKE_NAME, &html! {
            (text("given", None)) (text("family", None)) (text("suffix", None))
            (text("used", Some(words::INTAKE_USED_HINT)))
        }))
        (group("of-birth", words::INTAKE_BIRTH, &html! {
            (born(shown, lang))
            (tick(shown, "birth_unknown", lang))
            (select(shown, "gender", &GENDERS.map(|code| (code, gender(code).of(lang))), None, lang))
            (select(shown, "sex_clinical", &SEXES.map(|code| (code, sex(code).of(lang))), Some(words::INTAKE_SEX_HINT), lang))
            (text("pronouns", Some(words::INTAKE_PRONOUNS_HINT)))
        }))
        (group("of-reach", words::REACH, &html! {
            (text("mobile", None)) (text("home_phone", None)) (text("email", None))
            (select(shown, "prefers", &WAYS.map(|way| (way, label(way).of(lang))), None, lang))
        }))
        (group("of-home", words::INTAKE_ADDRESS, &html! {
            (text("line", None)) (text("line_more", None)) (text("city", None))
            (text("state", None)) (text("postal_code", None)) (text("country", None))
        }))
        (group("of-private", words::INTAKE_PRIVATE, &html! {
            p.hint.is-row { (words::INTAKE_PRIVATE_WHY.of(lang)) }
            (text("private_line", None)) (text("private_city", None)) (text("private_state", None))
            (text("private_postal_code", None)) (text("private_phone", None))
            (tick(shown, "private_text", lang)) (text("private_email", None))
        }))
        (group("of-language", words::SPOKEN, &html! {
            (languages(shown, lang)) (tick(shown, "interpreter", lang))
        }))
        (group("of-contact", words::INTAKE_EMERGENCY, &html! {
            (text("contact_name", None)) (text("contact_relation", None)) (text("contact_phone", None))
        }))
        @if shown.is_new {
            (group("of-number", words::INTAKE_OTHER, &html! {
                (select(shown, "other_kind", &KINDS.map(|code| (code, kind(code).of(lang))), None, lang))
                (text("other_number", None))
                p.hint.is-row { (words::INTAKE_NUMBER_WHY.of(lang)) }
            }))
        }
    }
}

fn error(shown: &Shown<'_>, name: &str, lang: Lang) -> &'static str {
    let found = shown.wrong.iter().find(|(own, _)| *own == name);
    found.map_or("", |(_, what)| say(*what).of(lang))
}

/// What stands in the record by now, where it is not what the form says.
fn changed(shown: &Shown<'_>, name: &str, lang: Lang) -> String {
    let now = shown.now.filter(|now| now.get(name) != shown.intake.get(name));
    let Some(now) = now.map(|now| now.get(name)) else { return String::new() };
    let now = if now.is_empty() {
        words::INTAKE_EMPTY.of(lang).to_owned()
    } else {
        said(name, now, lang)
    };
    words::INTAKE_NOW.with(lang, &now)
}

fn text(shown: &Shown<'_>, name: &str, hint: Option<Word>, lang: Lang) -> Markup {
    let now = changed(shown, name, lang);
    let hint = if now.is_empty() { hint.map_or("", |hint| hint.of(lang)) } else { &now };
    field(&Field {
        id: name,
        name,
        label: label(name).of(lang),
        hint,
        error: error(shown, name, lang),
        value: shown.intake.get(name),
        is_disabled: false,
    })
}

fn born(shown: &Shown<'_>, lang: Lang) -> Markup {
    let now = changed(shown, "birth_date", lang);
    field(&Field {
        id: "birth_date",
        name: "birth_date",
        label: words::INTAKE_BORN.of(lang),
        hint: if now.is_empty() { words::INTAKE_BORN_HINT.of(lang) } else { &now },
        error: error(shown, "birth_date", lang),
        value: shown.born,
        is_disabled: false,
    })
}

fn tick(shown: &Shown<'_>, name: &str, lang: Lang) -> Markup {
    html! { div.field.is-tick { label.choice {
        input type="checkbox" id=(name) name=(name) value=(YES) checked[shown.intake.get(name) == YES];
        span { (label(name).of(lang)) }
    } } }
}

fn select(
    shown: &Shown<'_>,
    name: &str,
    all: &[(&str, &str)],
    hint: Option<Word>,
    lang: Lang,
) -> Markup {
    let (value, error, now) =
        (shown.intake.get(name), error(shown, name, lang), changed(shown, name, lang));
    let is_wrong = !error.is_empty();
    let hint_text = if now.is_empty() { hint.map_or("", |hint| hint.of(lang)) } else { &now };
    let (hint_id, error_id) = (format!("{name}-hint"), format!("{name}-error"));
    let described = match (hint_text.is_empty(), is_wrong) {
        (true, false) => None,
        (false, false) => Some(hint_id.clone()),
        (true, true) => Some(error_id.clone()),
        (false, true) => Some(format!("{hint_id} {error_id}")),
    };
    html! {
        div.field.is-wrong[is_wrong] {
            label for=(name) { (label(name).of(lang)) }
            @if !hint_text.is_empty() { p.hint id=(hint_id) { (hint_text) } }
            @if is_wrong { p.error id=(error_id) { (icon(Icon::Critical)) span { (error) } } }
            select id=(name) name=(name) aria-describedby=[described] aria-invalid=[is_wrong.then_some("true")] {
                option value="" selected[value.is_empty()] { (words::INTAKE_NOT_SAID.of(lang)) }
                @for (code, words) in all { option value=(code) selected[value == *code] { (words) } }
                @if !value.is_empty() && all.iter().all(|(code, _)| *code != value) {
                    option value=(value) selected { (value) }
                }
            }
        }
    }
}

fn languages(shown: &Shown<'_>, lang: Lang) -> Markup {
    select(shown, "language", &LANGUAGES, None, lang)
}

fn gender(code: &str) -> Word {
    crate::person::gender(code).unwrap_or(words::NOT_KNOWN)
}

fn sex(code: &str) -> Word {
    match code {
        "female-typical" => words::INTAKE_SEX_FEMALE,
        "male-typical" => words::INTAKE_SEX_MALE,
        "specified" => words::INTAKE_SEX_SPECIFIED,
        _ => words::NOT_KNOWN,
    }
}

fn kind(code: &str) -> Word {
    match code {
        "SS" => words::INTAKE_SS,
        "DL" => words::INTAKE_DL,
        _ => words::INTAKE_PPN,
    }
}

pub(crate) const fn say(what: Wrong) -> Word {
    match what {
        Wrong::Missing => words::WRONG_MISSING,
        Wrong::TooLong => words::WRONG_LONG,
        Wrong::Odd => words::WRONG_ODD,
        Wrong::NoDate => words::WRONG_DATE,
        Wrong::Future => words::WRONG_FUTURE,
        Wrong::TooLongAgo => words::WRONG_AGO,
        Wrong::NoPhone => words::WRONG_PHONE,
        Wrong::NoEmail => words::WRONG_EMAIL,
        Wrong::NotOffered => words::WRONG_CHOICE,
        Wrong::NoWay => words::WRONG_WAY,
    }
}
