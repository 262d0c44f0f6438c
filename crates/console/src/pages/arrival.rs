//! Checking in without the desk, by a link or at a kiosk: who it is, whether phone, address and insurance are
//! still right, why they come, and that they are there. One question to a page, each of which works without a
//! script on a narrow screen (WCAG 2.2 AA); what was entered is never asked again (3.3.7). What stands is shown
//! in part, and nothing names the patient.

use crate::answer::Answer;
use crate::pages::registration::fields::say;
use crate::parts::{Icon, Kind, button, error_summary, icon, link_button, shell::arriving};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use maud::{Markup, html};
use registration::intake::Wrong;
use registration::pre_check_in::{ANSWER_CHARS_MAX, ANSWERS, Entered, INSURANCES, Stands};
use scheduling::arrive::{Here, Question};

/// A step of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// How the patient is reached.
    Contact,
    /// Who pays.
    Insurance,
    /// Why they come.
    Reason,
    /// What is left.
    End,
}

impl Step {
    /// All, in their order.
    pub const ALL: [Self; 4] = [Self::Contact, Self::Insurance, Self::Reason, Self::End];

    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Insurance => "insurance",
            Self::Reason => "reason",
            Self::End => "end",
        }
    }

    /// The step of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    /// The fields it asks.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Contact => &["mobile", "email", "line", "city", "state", "postal_code"],
            Self::Insurance => &["insurance", "payer", "number"],
            Self::Reason => &["reason", ANSWERS],
            Self::End => &[],
        }
    }

    /// The one that follows.
    pub const fn next(self) -> Self {
        match self {
            Self::Contact => Self::Insurance,
            Self::Insurance => Self::Reason,
            Self::Reason | Self::End => Self::End,
        }
    }

    const fn number(self) -> &'static str {
        match self {
            Self::Contact => "1",
            Self::Insurance => "2",
            Self::Reason | Self::End => "3",
        }
    }

    const fn title(self) -> Word {
        match self {
            Self::Contact => words::ARRIVAL_CONTACT,
            Self::Insurance => words::ARRIVAL_INSURANCE,
            Self::Reason => words::ARRIVAL_REASON,
            Self::End => words::ARRIVAL_READY,
        }
    }
}

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub enum ArrivalPage<'a> {
    /// The date of birth is asked.
    Birth {
        /// It was said, and was not what stands; the same whoever it is.
        is_wrong: bool,
        /// What was said is no date.
        is_unread: bool,
    },
    /// It is asked no more.
    Locked,
    /// A question.
    Ask {
        /// Which.
        step: Step,
        /// What stands, in part.
        stands: &'a Stands,
        /// What was entered.
        entered: &'a Entered,
        /// The version of that; 0 when nothing was.
        version: u64,
        /// What the house asks beside.
        questions: &'a [Question],
        /// What is wrong with it.
        wrong: &'a [(&'static str, Wrong)],
        /// It was changed in another window.
        is_stale: bool,
        /// Others use this device next.
        is_kiosk: bool,
    },
    /// All was asked.
    End {
        /// Whether one may say that one is there.
        here: Here,
        /// The house takes it from patients.
        may: bool,
        /// Others use this device next.
        is_kiosk: bool,
    },
}

/// The page.
pub(crate) fn page(visit: &Visit, shows: &ArrivalPage<'_>) -> Answer {
    let lang = visit.lang();
    let (status, title, is_kiosk, body) = match shows {
        ArrivalPage::Birth { is_wrong, is_unread } => {
            let status = if *is_wrong || *is_unread { 422 } else { 200 };
            (status, words::ARRIVAL, false, birth(visit, *is_wrong, *is_unread))
        }
        ArrivalPage::Locked => {
            let body = html! { p role="status" { (words::ARRIVAL_LOCKED_SAY.of(lang)) } };
            (403, words::ARRIVAL_LOCKED, false, body)
        }
        ArrivalPage::Ask { step, wrong, is_stale, is_kiosk, .. } => {
            let status = if *is_stale {
                409
            } else if wrong.is_empty() {
                200
            } else {
                422
            };
            (status, step.title(), *is_kiosk, asked(visit, shows))
        }
        ArrivalPage::End { here, may, is_kiosk } => {
            (200, words::ARRIVAL_READY, *is_kiosk, end(visit, *here, *may, *is_kiosk))
        }
    };
    let title = title.of(lang);
    arriving(visit, status, title, is_kiosk, &html! { h1 { (title) } (body) })
}

/// The address of a step, beside the one of the visit.
fn address(visit: &Visit, step: Option<Step>) -> String {
    let base = visit.path.split("/in").next().unwrap_or_default();
    step.map_or_else(|| format!("{base}/in"), |step| format!("{base}/in/{}", step.as_str()))
}

fn birth(visit: &Visit, is_wrong: bool, is_unread: bool) -> Markup {
    let lang = visit.lang();
    let say = match (is_wrong, is_unread) {
        (true, _) => Some(words::ARRIVAL_BIRTH_WRONG.of(lang)),
        (_, true) => Some(words::ARRIVAL_BIRTH_NONE.of(lang)),
        _ => None,
    };
    html! {
        @if let Some(say) = say { (error_summary(lang, &[("month", say)])) }
        form method="post" action=(address(visit, None)) {
            fieldset aria-describedby="birth-why" {
                legend { (words::ARRIVAL_BIRTH.of(lang)) }
                p.hint #birth-why { (words::ARRIVAL_BIRTH_WHY.of(lang)) " " (words::ARRIVAL_BIRTH_EXAMPLE.of(lang)) }
                (birth_fields(lang, say.is_some()))
            }
            (button(Kind::Primary, None, words::ARRIVAL_GO_ON.of(lang)))
        }
    }
}

/// Month, day and year, in the order of the house's country.
pub(crate) fn birth_fields(lang: Lang, is_wrong: bool) -> Markup {
    let one = |name: &str, label: Word, most: &str, fills: &str| {
        html! {
            div.field.is-wrong[is_wrong] {
                label for=(name) { (label.of(lang)) }
                input type="text" id=(name) name=(name) inputmode="numeric" maxlength=(most) autocomplete=(fills)
                    required aria-invalid=[is_wrong.then_some("true")];
            }
        }
    };
    html! {
        div.birth {
            (one("month", words::ARRIVAL_MONTH, "2", "bday-month"))
            (one("day", words::ARRIVAL_DAY, "2", "bday-day"))
            (one("year", words::ARRIVAL_YEAR, "4", "bday-year"))
        }
    }
}

fn asked(visit: &Visit, shows: &ArrivalPage<'_>) -> Markup {
    let lang = visit.lang();
    let ArrivalPage::Ask { step, stands, entered, version, questions, wrong, is_stale, is_kiosk } =
        shows
    else {
        return html! {};
    };
    let said: Vec<(&str, String)> = wrong
        .iter()
        .map(|(name, what)| (*name, format!("{}: {}", label(name).of(lang), say(*what).of(lang))))
        .collect();
    let mut summary: Vec<(&str, &str)> =
        said.iter().map(|(name, say)| (*name, say.as_str())).collect();
    if *is_stale {
        summary.push(("main", words::ARRIVAL_CHANGED.of(lang)));
    }
    let fields = Fields { lang, entered, wrong };
    let back = match step {
        Step::Contact | Step::End => None,
        Step::Insurance => Some(Step::Contact),
        Step::Reason => Some(Step::Insurance),
    };
    html! {
        p.muted { (words::ARRIVAL_STEP.with(lang, step.number())) }
        @if !summary.is_empty() { (error_summary(lang, &summary)) }
        form method="post" action=(address(visit, Some(*step))) {
            input type="hidden" name="version" value=(version);
            @match step {
                Step::Contact => (contact(&fields, stands)),
                Step::Insurance => (insurance(&fields)),
                Step::Reason | Step::End => {
                    (reason(&fields))
                    @if !questions.is_empty() { (answers(&fields, questions)) }
                },
            }
            (button(Kind::Primary, None, words::ARRIVAL_GO_ON.of(lang)))
            @if let Some(back) = back { (link_button(Kind::Quiet, Some(Icon::Back), words::ARRIVAL_BACK.of(lang), &address(visit, Some(back)))) }
            @if *is_kiosk { (idle(lang)) }
        }
        @if *is_kiosk { (stop(visit)) }
    }
}

struct Fields<'a> {
    lang: Lang,
    entered: &'a Entered,
    wrong: &'a [(&'static str, Wrong)],
}

impl Fields<'_> {
    fn text(&self, name: &str, kind: &str, fills: &str, hint: &str) -> Markup {
        let lang = self.lang;
        let wrong = self.wrong.iter().find(|(own, _)| *own == name).map(|(_, what)| say(*what));
        let (hint_id, error_id) = (format!("{name}-hint"), format!("{name}-error"));
        let mut described = Vec::new();
        if !hint.is_empty() {
            described.push(hint_id.as_str());
        }
        if wrong.is_some() {
            described.push(error_id.as_str());
        }
        let described = Some(described.join(" ")).filter(|ids| !ids.is_empty());
        let most = Entered::FIELDS.iter().find(|(own, _)| *own == name).map_or(0, |(_, max)| *max);
        html! {
            div.field.is-wrong[wrong.is_some()] {
                label for=(name) { (label(name).of(lang)) }
                @if !hint.is_empty() { p.hint id=(hint_id) { (hint) } }
                @if let Some(wrong) = wrong { p.error id=(error_id) { (icon(Icon::Critical)) span { (wrong.of(lang)) } } }
                input type=(kind) id=(name) name=(name) value=(self.entered.get(name)) maxlength=(most)
                    autocomplete=(fills) aria-describedby=[described] aria-invalid=[wrong.map(|_| "true")];
            }
        }
    }

    fn have(&self, stands: &str) -> String {
        match stands {
            "" => words::ARRIVAL_HAVE_NONE.of(self.lang).to_owned(),
            stands => words::ARRIVAL_HAVE.with(self.lang, stands),
        }
    }
}

fn contact(fields: &Fields<'_>, stands: &Stands) -> Markup {
    let lang = fields.lang;
    html! {
        p { (words::ARRIVAL_CONTACT_SAY.of(lang)) }
        (fields.text("mobile", "tel", "tel", &fields.have(&stands.mobile)))
        (fields.text("email", "email", "email", &fields.have(&stands.email)))
        fieldset aria-describedby="address-have" {
            legend { (words::ARRIVAL_ADDRESS.of(lang)) }
            p.hint #address-have { (fields.have(&stands.address)) }
            (fields.text("line", "text", "street-address", ""))
            (fields.text("city", "text", "address-level2", ""))
            (fields.text("state", "text", "address-level1", ""))
            (fields.text("postal_code", "text", "postal-code", ""))
        }
    }
}

fn insurance(fields: &Fields<'_>) -> Markup {
    let lang = fields.lang;
    let now = fields.entered.insurance.as_str();
    let label = |code: &str| match code {
        "changed" => words::ARRIVAL_INSURANCE_CHANGED,
        "none" => words::ARRIVAL_INSURANCE_NO,
        _ => words::ARRIVAL_INSURANCE_SAME,
    };
    html! {
        fieldset.choices #insurance {
            legend.unseen { (words::ARRIVAL_INSURANCE.of(lang)) }
            @for code in INSURANCES {
                label.choice {
                    input type="radio" name="insurance" value=(code) required checked[now == code];
                    span { (label(code).of(lang)) }
                }
            }
        }
        fieldset aria-describedby="insurance-say" {
            legend { (words::ARRIVAL_INSURANCE_IF.of(lang)) }
            p.hint #insurance-say { (words::ARRIVAL_INSURANCE_SAY.of(lang)) }
            (fields.text("payer", "text", "off", ""))
            (fields.text("number", "text", "off", ""))
        }
    }
}

fn reason(fields: &Fields<'_>) -> Markup {
    let lang = fields.lang;
    html! {
        div.field {
            label.unseen for="reason" { (words::ARRIVAL_REASON.of(lang)) }
            p.hint #reason-hint { (words::ARRIVAL_REASON_SAY.of(lang)) }
            textarea #reason name="reason" rows="4" maxlength="500" aria-describedby="reason-hint" { (fields.entered.reason) }
        }
    }
}

/// What the house asks all who come for such a visit.
fn answers(fields: &Fields<'_>, questions: &[Question]) -> Markup {
    let lang = fields.lang;
    let wrong = fields.wrong.iter().find(|(own, _)| *own == ANSWERS).map(|(_, what)| say(*what));
    let is_odd =
        |said: &str| said.chars().count() > ANSWER_CHARS_MAX || said.contains(char::is_control);
    html! {
        fieldset #(ANSWERS) {
            legend { (words::ARRIVAL_QUESTIONS.of(lang)) }
            p.hint { (words::ARRIVAL_QUESTIONS_SAY.of(lang)) }
            @for question in questions {
                @let said = fields.entered.answer(&question.text);
                @let wrong = wrong.filter(|_| is_odd(said));
                @let error = format!("{}-error", question.name);
                div.field.is-wrong[wrong.is_some()] {
                    label for=(question.name) { (question.text) }
                    @if let Some(wrong) = wrong { p.error id=(error) { (icon(Icon::Critical)) span { (wrong.of(lang)) } } }
                    textarea id=(question.name) name=(question.name) rows="2" maxlength=(ANSWER_CHARS_MAX)
                        aria-describedby=[wrong.map(|_| error.as_str())] aria-invalid=[wrong.map(|_| "true")] { (said) }
                }
            }
        }
    }
}

fn label(name: &str) -> Word {
    match name {
        "mobile" => words::ARRIVAL_MOBILE,
        "email" => words::ARRIVAL_EMAIL,
        "line" => words::ARRIVAL_LINE,
        "city" => words::ARRIVAL_CITY,
        "state" => words::ARRIVAL_STATE,
        "postal_code" => words::ARRIVAL_ZIP,
        "payer" => words::ARRIVAL_PAYER,
        "number" => words::ARRIVAL_NUMBER,
        "insurance" => words::ARRIVAL_INSURANCE,
        ANSWERS => words::ARRIVAL_QUESTIONS,
        _ => words::ARRIVAL_REASON,
    }
}

fn end(visit: &Visit, here: Here, may: bool, is_kiosk: bool) -> Markup {
    let lang = visit.lang();
    let act = |act: &str, label: Word| {
        html! {
            form method="post" action=(address(visit, Some(Step::End))) {
                button.button.is-primary type="submit" name="do" value=(act) { (label.of(lang)) }
            }
        }
    };
    html! {
        p { (words::ARRIVAL_KEPT.of(lang)) }
        @match (here, may) {
            (Here::Said, _) => { p role="status" { strong { (words::ARRIVAL_SAID.of(lang)) } } }
            (Here::Now, true) => {
                p { (words::ARRIVAL_HERE_SAY.of(lang)) }
                (act("here", words::ARRIVAL_HERE))
            }
            (Here::Early, true) if !is_kiosk => { p { (words::ARRIVAL_EARLY_HERE.of(lang)) } }
            (Here::Early, _) if !is_kiosk => { p { (words::ARRIVAL_EARLY.of(lang)) } }
            _ => { p role="status" { strong { (words::ARRIVAL_TELL.of(lang)) } } }
        }
        @if is_kiosk && (here != Here::Now || !may) { (act("leave", words::ARRIVAL_DONE)) }
        (link_button(Kind::Quiet, None, words::ARRIVAL_CHANGE.of(lang), &address(visit, Some(Step::Contact))))
        @if is_kiosk { form method="get" action=(address(visit, Some(Step::End))) { (idle(lang)) } (stop(visit)) }
    }
}

/// How long the page stays, and the button for more of it. It sends the form as it is, and loses nothing.
pub(crate) fn idle(lang: Lang) -> Markup {
    html! {
        div.idle {
            p { (words::KIOSK_IDLE.of(lang)) }
            p { (words::KIOSK_IDLE_LEFT.of(lang)) span.number #idle-left { "60" } }
            button.button.is-secondary type="submit" name="do" value="more" formnovalidate { (words::KIOSK_MORE.of(lang)) }
        }
    }
}

/// Away from here, for whoever does not go on.
fn stop(visit: &Visit) -> Markup {
    html! {
        form method="post" action=(address(visit, Some(Step::End))) {
            button.button.is-quiet type="submit" name="do" value="stop" { (words::KIOSK_STOP.of(visit.lang())) }
        }
    }
}
