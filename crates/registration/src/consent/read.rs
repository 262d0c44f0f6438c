//! A Consent as pages show one: what was signed, by whom, and whether it counts. One that was made
//! elsewhere says less, and what it does not say is left out.

use super::Kind;
use super::signature::Signature;
use super::write::{DESCRIBED, DRAWN, ENDED, FORMS, SIGNATURE, SIGNER, WITNESS};
use crate::read::{concept, each, extension, text};
use base::Millis;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fhir::Value;
use record::Hit;

/// With what hand it was signed.
#[derive(Clone, PartialEq, Eq)]
pub enum Mark {
    /// Drawn here.
    Drawn(Signature),
    /// On paper, before a witness.
    OnPaper,
    /// In some way that is not shown here.
    Elsewhere,
}

/// That it was taken back, or not given.
#[derive(Clone, PartialEq, Eq)]
pub struct Ended {
    /// When, as FHIR writes it.
    pub when: String,
    /// Why.
    pub reason: String,
}

/// A hand under a consent.
#[derive(Clone, PartialEq, Eq)]
pub struct Hand {
    /// Whose, by name.
    pub name: String,
    /// They signed for the patient.
    pub by_proxy: bool,
    /// By what right they did, in words; empty where it does not say.
    pub authority: String,
    /// With what hand.
    pub mark: Mark,
}

/// A consent as it stands in the record.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// The logical id.
    pub id: String,
    /// The version.
    pub version: u64,
    /// Which of the house's forms it is; none for one from elsewhere.
    pub kind: Option<Kind>,
    /// What it is called.
    pub title: String,
    /// `Consent.status`.
    pub status: String,
    /// It counts now: active, and not over.
    pub is_in_force: bool,
    /// It denies something.
    pub denies: bool,
    /// When it was given, as FHIR writes it.
    pub given: String,
    /// The last day.
    pub until: String,
    /// Who gave it, by name; empty where it does not say.
    pub signer: String,
    /// The hands under it, the patient's or that for the patient first; none when nothing was signed.
    pub hands: Vec<Hand>,
    /// Who saw it signed.
    pub witness: String,
    /// What was signed, word for word; empty when it does not stand in the record.
    pub words: String,
    /// The language of that.
    pub language: String,
    /// The version of the text.
    pub edition: String,
    /// That it ended.
    pub ended: Option<Ended>,
    /// Whether the guard lets anybody see more by it, as it was entered: it names nobody who discloses or
    /// receives, and describes nothing that cannot be followed record by record.
    pub grants: bool,
}

hidden!(Mark, Ended, Hand, Held);

impl Held {
    pub(super) fn of(hit: &Hit, root: Value<'_>, now: Millis) -> Self {
        let form = each(root, "category")
            .flat_map(|one| each(one, "coding"))
            .find(|coding| text(*coding, "system") == FORMS);
        let kind = form.and_then(|form| Kind::from_code(&text(form, "code")));
        let source = root.get("sourceAttachment");
        let of_source = |name: &str| source.map(|one| text(one, name)).unwrap_or_default();
        let titles = [of_source("title")].into_iter().chain(each(root, "category").map(concept));
        let title = titles.chain(root.get("scope").map(concept)).find(|title| !title.is_empty());
        let provision = root.get("provision");
        let until = provision.and_then(|one| one.get("period")).map(|one| text(one, "end"));
        let until = until.unwrap_or_default();
        let is_over =
            !until.is_empty() && fhir::date::parse(&until).is_none_or(|day| day.high < now.0);
        let status = text(root, "status");
        let witness = signatures(root, WITNESS).next();
        let hands: Vec<Hand> =
            signatures(root, SIGNER).map(|hand| signed(hand, witness.is_some())).collect();
        let signer = hands.first().map(|hand| hand.name.clone()).filter(|name| !name.is_empty());
        let performer = each(root, "performer").next().map(|one| text(one, "display"));
        let is_plain = of_source("contentType").starts_with("text/plain");
        Self {
            id: hit.id.clone(),
            version: hit.version,
            kind,
            title: title.unwrap_or_default(),
            is_in_force: status == "active" && !is_over,
            status,
            denies: provision.is_some_and(|one| text(one, "type") == "deny"),
            given: text(root, "dateTime"),
            until,
            signer: signer.or(performer).unwrap_or_default(),
            hands,
            witness: witness.map(name).unwrap_or_default(),
            words: if is_plain {
                decoded(&of_source("data")).unwrap_or_default()
            } else {
                String::new()
            },
            language: of_source("language"),
            edition: form.map(|form| text(form, "version")).unwrap_or_default(),
            ended: extension(root, ENDED).map(ended),
            grants: kind == Some(Kind::Part2)
                && provision
                    .is_some_and(|one| one.get("actor").is_none() && one.get("code").is_none()),
        }
    }
}

/// The signatures of a kind.
pub(super) fn signatures<'v>(
    root: Value<'v>,
    code: &'static str,
) -> impl Iterator<Item = Value<'v>> + use<'v> {
    each(root, "extension")
        .filter(|one| text(*one, "url") == SIGNATURE)
        .filter_map(|one| one.get("valueSignature"))
        .filter(move |one| each(*one, "type").any(|coding| text(coding, "code") == code))
}

fn signed(hand: Value<'_>, has_witness: bool) -> Hand {
    let authority = extension(hand, DESCRIBED).map(|one| text(one, "valueString"));
    Hand {
        name: name(hand),
        by_proxy: hand.get("onBehalfOf").is_some(),
        authority: authority.unwrap_or_default(),
        mark: mark(hand, has_witness),
    }
}

fn name(hand: Value<'_>) -> String {
    hand.get("who").map(|who| text(who, "display")).unwrap_or_default()
}

fn mark(hand: Value<'_>, has_witness: bool) -> Mark {
    let drawn = (text(hand, "sigFormat") == DRAWN)
        .then(|| decoded(&text(hand, "data")))
        .flatten()
        .and_then(|svg| Signature::of_svg(&svg));
    match drawn {
        Some(drawn) => Mark::Drawn(drawn),
        None if has_witness => Mark::OnPaper,
        None => Mark::Elsewhere,
    }
}

fn ended(of: Value<'_>) -> Ended {
    let value =
        |url: &str, name: &str| extension(of, url).map(|one| text(one, name)).unwrap_or_default();
    Ended { when: value("when", "valueDateTime"), reason: value("reason", "valueString") }
}

fn decoded(data: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(data).ok()?).ok()
}
