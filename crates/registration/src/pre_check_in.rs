//! What a patient enters before a visit: how they are reached, whether their insurance changed, and why they
//! come. All of it is a proposal: a record changes when the desk takes it up, under the desk's own name and of
//! the version that the desk saw. What stands is shown to the patient in part, enough to tell whether it is
//! still theirs and no more (45 CFR 164.502(b)).

use crate::coverage::{self, Entered as Insurance};
use crate::intake::{Intake, Wrong, YES};
use crate::register::{Seen, change, parsed, patient};
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::Document;
use fhir::write::Writer;
use record::Session;

/// What may be said of insurance.
pub const INSURANCES: [&str; 3] = ["same", "changed", "none"];
/// The fields of an address; who changes it gives all of it.
pub const ADDRESS: [&str; 4] = ["line", "city", "state", "postal_code"];
/// Answers to questions of the house, and letters of one.
pub const ANSWERS_MAX: usize = 5;
/// See [`ANSWERS_MAX`].
pub const ANSWER_CHARS_MAX: usize = 300;
/// The name under which answers are told to be wrong.
pub const ANSWERS: &str = "answers";
/// A sign that hides what stands behind it.
const HIDDEN: &str = "•••";

fields! {
    /// What was entered; a field that is empty changes nothing.
    Entered {
        mobile: 30, "A mobile phone.";
        email: 120, "An address of electronic mail.";
        line: 120, "The street of the address.";
        city: 80, "The city.";
        state: 40, "The state.";
        postal_code: 20, "The postal code.";
        insurance: 8, "One of [`INSURANCES`].";
        payer: 120, "Who insures now.";
        number: 120, "The number on the new card.";
        reason: 500, "Why they come, in their words.";
        ..
        /// What the house asked beside, and what they answered; [`ANSWERS_MAX`] at most.
        answers: Vec<(String, String)>
    }
}

/// What the desk takes up together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The mobile phone.
    Mobile,
    /// The address of electronic mail.
    Email,
    /// The address.
    Address,
    /// The insurance.
    Insurance,
}

impl Part {
    /// All, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Mobile, Self::Email, Self::Address, Self::Insurance];

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::Address => "address",
            Self::Insurance => "insurance",
        }
    }

    /// The fields it is of.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Mobile => &["mobile"],
            Self::Email => &["email"],
            Self::Address => &ADDRESS,
            Self::Insurance => &["insurance", "payer", "number"],
        }
    }
}

impl Entered {
    /// Reads some fields of a form, and leaves the others as they are.
    pub fn take<'f>(&mut self, names: &[&str], field: impl Fn(&str) -> &'f str) {
        for name in names {
            self.set(name, &field(name).split_whitespace().collect::<Vec<_>>().join(" "));
        }
        if self.insurance != "changed" {
            self.payer.clear();
            self.number.clear();
        }
    }

    /// What they answered to a question of the house, if anything.
    pub fn answer(&self, question: &str) -> &str {
        let found = self.answers.iter().find(|(own, _)| own == question);
        found.map_or("", |(_, answer)| answer.as_str())
    }

    /// Answers a question, or with an empty text no more. Of too many answers the oldest goes.
    pub fn say(&mut self, question: &str, answer: &str) {
        self.answers.retain(|(own, _)| own != question);
        let answer = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        if !answer.is_empty() {
            self.answers.push((question.to_owned(), answer));
        }
        let over = self.answers.len().saturating_sub(ANSWERS_MAX);
        self.answers.drain(..over);
    }

    /// What is wrong with it, field by field; nothing for what can be taken up.
    pub fn wrong(&self, now: Millis) -> Vec<(&'static str, Wrong)> {
        let mut asked = Intake { family: "-".to_owned(), ..Intake::default() };
        YES.clone_into(&mut asked.birth_unknown);
        for (name, _) in Self::FIELDS {
            asked.set(name, self.get(name));
        }
        let mut all = asked.wrong(now);
        for (name, max) in Self::FIELDS {
            let value = self.get(name);
            if value.chars().count() > *max {
                all.push((*name, Wrong::TooLong));
            } else if value.contains(char::is_control) {
                all.push((*name, Wrong::Odd));
            }
        }
        if ADDRESS.iter().any(|name| !self.get(name).is_empty()) {
            let missing = ["line", "city", "postal_code"].into_iter();
            let missing = missing.filter(|name| self.get(name).is_empty());
            all.extend(missing.map(|name| (name, Wrong::Missing)));
        }
        if !self.insurance.is_empty() && !INSURANCES.contains(&self.insurance.as_str()) {
            all.push(("insurance", Wrong::NotOffered));
        }
        if self.insurance == "changed" {
            let missing = ["payer", "number"].into_iter().filter(|name| self.get(name).is_empty());
            all.extend(missing.map(|name| (name, Wrong::Missing)));
        }
        let place = |name: &str| Self::FIELDS.iter().position(|(own, _)| *own == name);
        all.retain(|(name, _)| place(name).is_some());
        all.sort_by_key(|(name, _)| place(name));
        all.dedup_by_key(|(name, _)| *name);
        if self.answers.iter().any(|(_, said)| said.chars().count() > ANSWER_CHARS_MAX) {
            all.push((ANSWERS, Wrong::TooLong));
        } else if self.answers.iter().any(|(_, said)| said.contains(char::is_control)) {
            all.push((ANSWERS, Wrong::Odd));
        }
        all
    }

    /// Whether nothing was entered.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && Self::FIELDS.iter().all(|(name, _)| self.get(name).is_empty())
    }

    /// Whether a part was entered that the desk can take up.
    pub fn has(&self, part: Part) -> bool {
        match part {
            Part::Insurance => self.insurance == "changed",
            part => part.fields().iter().any(|name| !self.get(name).is_empty()),
        }
    }

    /// Without a part.
    pub fn clear(&mut self, part: Part) {
        for name in part.fields() {
            self.set(name, "");
        }
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        let mut out = Writer::new();
        out.object();
        for (name, _) in Self::FIELDS {
            if !self.get(name).is_empty() {
                out.member(name, self.get(name));
            }
        }
        if !self.answers.is_empty() {
            out.key(ANSWERS).array();
            for (question, answer) in &self.answers {
                out.object().member("question", question).member("answer", answer).end_object();
            }
            out.end_array();
        }
        out.end_object();
        String::from_utf8(out.finish()).unwrap_or_default()
    }

    /// Reads what [`Entered::text`] wrote.
    ///
    /// # Errors
    /// `store.item.corrupt` for anything else.
    pub fn of_text(text: &str) -> Result<Self, Fault> {
        let odd = || Fault::new(&code::STORE_CORRUPT, "what was entered is not as it was kept");
        let limits = Limits::default();
        let document =
            Document::parse(text.as_bytes().to_vec(), &limits).map_err(|_fault| odd())?;
        let mut out = Self::default();
        for (name, value) in document.root().members() {
            if name == ANSWERS {
                for one in value.items().take(ANSWERS_MAX) {
                    let part = |name: &str| one.get_str(name).map(|text| text.into_owned());
                    out.answers.push(part("question").zip(part("answer")).ok_or_else(odd)?);
                }
                continue;
            }
            if !Self::FIELDS.iter().any(|(own, _)| *own == name) {
                return Err(odd());
            }
            out.set(name, &value.as_str().ok_or_else(odd)?);
        }
        Ok(out)
    }
}

/// How a patient is reached, as far as they are shown it themselves: enough to know it again.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Stands {
    /// The last two digits of the mobile phone.
    pub mobile: String,
    /// The first letter and the host of the address of electronic mail.
    pub email: String,
    /// The city.
    pub address: String,
}

hidden!(Stands);

impl Stands {
    /// Of what a record says; what is confidential is none of it.
    pub fn of(intake: &Intake) -> Self {
        let digits: Vec<char> = intake.mobile.chars().filter(char::is_ascii_digit).collect();
        let mobile = match digits.as_slice() {
            [.., last, end] => format!("{HIDDEN} {last}{end}"),
            _ => String::new(),
        };
        let email = intake.email.rsplit_once('@').and_then(|(name, host)| {
            let first = name.chars().next()?;
            Some(format!("{first}{HIDDEN}@{host}"))
        });
        let has_address = !intake.line.is_empty() || !intake.city.is_empty();
        let address =
            if has_address { format!("{HIDDEN}, {}", intake.city) } else { String::new() };
        Self { mobile, email: email.unwrap_or_default(), address }
    }
}

/// What stands of the patient of a session, in part.
///
/// # Errors
/// As a read.
pub async fn stands(session: &Session, whose: &str) -> Result<Stands, Fault> {
    let hit = session.read(patient()?, whose, None)?.into_inner().await?;
    Ok(Stands::of(&Intake::of(parsed(&hit)?.root())))
}

/// Takes parts of what was entered up into the record of a patient, under the caller's own name. `form` is an
/// id that is the same when the same is sent again.
///
/// # Errors
/// `record.write.version-conflict` when the patient was changed since; `registration.value.invalid`; as an
/// update and a create. How the patient is reached is taken up first: who meets a fault looks again.
pub async fn take_up(
    session: &Session,
    seen: &Seen,
    form: &str,
    entered: &Entered,
    parts: &[Part],
) -> Result<(), Fault> {
    let taken: Vec<Part> = parts.iter().copied().filter(|part| entered.has(*part)).collect();
    let reached = taken.iter().filter(|part| **part != Part::Insurance);
    let fields: Vec<&str> = reached.flat_map(|part| part.fields()).copied().collect();
    if !fields.is_empty() {
        let hit = session.read(patient()?, &seen.id, None)?.into_inner().await?;
        let mut intake = Intake::of(parsed(&hit)?.root());
        for name in &fields {
            intake.set(name, entered.get(name));
        }
        if fields.contains(&"line") {
            intake.line_more.clear();
        }
        // Nobody is asked for a date of birth here.
        if intake.birth_date.is_empty() {
            YES.clone_into(&mut intake.birth_unknown);
        }
        change(session, seen, &intake).await?;
    }
    if taken.contains(&Part::Insurance) {
        let insurance = Insurance {
            payer: entered.payer.clone(),
            number: entered.number.clone(),
            ..Insurance::default()
        };
        coverage::add(session, &seen.id, form, &insurance).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_796_140_800_000);

    fn entered(pairs: &[(&str, &str)]) -> Entered {
        let mut out = Entered::default();
        for (name, value) in pairs {
            out.set(name, value);
        }
        out
    }

    #[test]
    fn what_stands_is_shown_in_part() {
        let mut intake = Intake::default();
        for (name, value) in [
            ("mobile", "(312) 555-0142"),
            ("email", "jane@mail.example"),
            ("line", "9 Elm Street"),
            ("city", "Springfield"),
        ] {
            intake.set(name, value);
        }
        let shown = Stands::of(&intake);
        assert_eq!(shown.mobile, "••• 42");
        assert_eq!(shown.email, "j•••@mail.example");
        assert_eq!(shown.address, "•••, Springfield");
        assert_eq!(Stands::of(&Intake::default()), Stands::default());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_field() {
        let wrong = |pairs: &[(&str, &str)]| entered(pairs).wrong(NOW);
        assert_eq!(wrong(&[]), []);
        assert_eq!(wrong(&[("mobile", "12")]), [("mobile", Wrong::NoPhone)]);
        assert_eq!(wrong(&[("email", "nobody")]), [("email", Wrong::NoEmail)]);
        assert_eq!(wrong(&[("line", "9 Elm")]).len(), 2, "an address is given whole");
        assert_eq!(wrong(&[("insurance", "changed")]).len(), 2);
        assert_eq!(wrong(&[("insurance", "other")]), [("insurance", Wrong::NotOffered)]);
        assert_eq!(wrong(&[("reason", &"x".repeat(501))]), [("reason", Wrong::TooLong)]);
    }

    #[test]
    fn who_says_that_the_insurance_is_the_same_enters_none() {
        let mut one = Entered::default();
        let form = |name: &str| if name == "insurance" { "same" } else { "Acme  Health " };
        one.take(&["insurance", "payer", "number"], form);
        assert_eq!((one.payer.as_str(), one.has(Part::Insurance)), ("", false));
        let form = |name: &str| if name == "insurance" { "changed" } else { "Acme  Health " };
        one.take(&["insurance", "payer", "number"], form);
        assert_eq!((one.payer.as_str(), one.has(Part::Insurance)), ("Acme Health", true));
    }

    #[test]
    fn a_question_has_one_answer_the_last_and_of_too_many_the_oldest_goes() {
        let mut one = Entered::default();
        one.say("Do you smoke?", " no  more ");
        assert_eq!(one.answer("Do you smoke?"), "no more");
        one.say("Do you smoke?", "");
        assert!(one.is_empty() && one.answer("Do you smoke?").is_empty());
        for n in 0..ANSWERS_MAX + 1 {
            one.say(&n.to_string(), "yes");
        }
        assert_eq!((one.answers.len(), one.answer("0"), one.answer("5")), (ANSWERS_MAX, "", "yes"));
        assert!(one.wrong(NOW).is_empty() && !one.is_empty());
        one.say("5", &"x".repeat(ANSWER_CHARS_MAX + 1));
        assert_eq!(one.wrong(NOW), [(ANSWERS, Wrong::TooLong)]);
    }

    proptest! {
        #[test]
        fn answers_read_as_they_were_given(all in proptest::collection::vec(("\\PC{1,40}", "\\PC{0,40}"), 0..9)) {
            let mut one = Entered::default();
            for (question, answer) in &all {
                one.say(question, answer);
            }
            prop_assert!(one.answers.len() <= ANSWERS_MAX);
            prop_assert_eq!(Entered::of_text(&one.text()).unwrap(), one);
        }

        #[test]
        fn what_is_kept_reads_as_it_was_entered(values in proptest::collection::vec("\\PC{0,40}", 10)) {
            let mut one = Entered::default();
            for ((name, _), value) in Entered::FIELDS.iter().zip(&values) {
                one.set(name, value);
            }
            prop_assert_eq!(Entered::of_text(&one.text()).unwrap(), one);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
            drop(Entered::of_text(&text));
        }

        #[test]
        fn no_entry_breaks_the_check(value in "\\PC{0,600}", at in 0_usize..10) {
            let (name, max) = Entered::FIELDS[at];
            let one = entered(&[(name, value.as_str())]);
            let is_told = one.wrong(NOW).iter().any(|(own, _)| *own == name);
            prop_assert!(is_told || value.chars().count() <= max);
            let _ = Stands::of(&Intake { mobile: value.clone(), email: value, ..Intake::default() });
        }
    }
}
