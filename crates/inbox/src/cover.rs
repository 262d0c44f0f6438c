//! Who covers for whom, from when until when. A cover lapses by itself: it is a participant's period, and
//! every look compares it with the clock. It hands over what waits and no right to see anything.

use crate::SYSTEM;
use crate::read::{Reads, parsed, type_of};
use crate::whom::{COVER, COVERED, COVERING, Cover, Desks, Me, look};
use crate::write;
use base::error::code;
use base::{Fault, Millis};
use fhir::reference::is_id;
use fhir::write::Writer;
use record::{Kind as Told, Session, Work};

/// The longest cover: a year of leave. What is longer is another clinician's panel.
pub const DAYS_MAX: i64 = 366;
const DAY_MS: i64 = 86_400_000;

/// A cover to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoverForm {
    /// The form's own id: sent twice, it is entered once.
    pub form: String,
    /// The other practitioner, by id.
    pub other: String,
    /// The other covers for whoever asks; else whoever asks for the other.
    pub for_me: bool,
    /// From.
    pub from: Millis,
    /// Until, and not with.
    pub until: Millis,
}

/// The pools of whoever asks, and the covers that name them and are not over.
///
/// # Errors
/// As a search.
pub async fn desks(session: &Session, me: &Me) -> Result<Desks, Fault> {
    let mut reads = Reads::new(session);
    let outcome = look(&mut reads, me);
    reads.settle(outcome).await
}

/// Begins a cover between whoever asks and another.
///
/// # Errors
/// `inbox.value.invalid`, `inbox.person.missing`; as a write.
pub async fn begin(session: &Session, form: &CoverForm) -> Result<(), Fault> {
    let signer = session.signer().ok_or_else(nobody)?;
    let now = session.now();
    let bad = |say: &str, field: &str| Err(Fault::at(&code::INBOX_VALUE, say, field));
    if !is_id(&form.form) {
        return bad("the form has an id of letters, digits, hyphens and full stops", "form");
    }
    if !is_id(&form.other) || form.other == signer.practitioner {
        return bad("choose somebody else", "other");
    }
    if form.until <= form.from || form.until <= now {
        return bad("it ends after it begins, and in the future", "until");
    }
    if form.until.0.saturating_sub(form.from.0) > DAYS_MAX * DAY_MS {
        return bad("a cover lasts a year at most", "until");
    }
    let mut reads = Reads::new(session);
    let other = reads.read("Practitioner", &form.other, None).and_then(|hit| {
        let document = parsed(&hit)?;
        Ok(called(document.root()))
    });
    let other = reads.settle(other).await?;
    let mine = (format!("Practitioner/{}", signer.practitioner), signer.display);
    let theirs = (format!("Practitioner/{}", form.other), other);
    let (of, by) = if form.for_me { (mine, theirs) } else { (theirs, mine) };
    let body = write_cover(form, &of, &by);
    let unless = format!("identifier={SYSTEM}|{}", form.form);
    let made = session.carry_out(Told::Operation, |_| {
        let mut work = Work::new();
        work.create_once("CareTeam", body.clone(), &unless);
        Ok(work)
    });
    made.await.map(drop)
}

/// Ends a cover now. Either of the two may.
///
/// # Errors
/// `inbox.item.state` for one that is not theirs; `record.write.version-conflict`.
pub async fn end(session: &Session, me: &Me, id: &str, version: u64) -> Result<(), Fault> {
    let mut reads = Reads::new(session);
    let outcome = (|| {
        let desks = look(&mut reads, me)?;
        let cover: Option<Cover> = desks.covers.into_iter().find(|cover| cover.id == id);
        let over = || Fault::new(&code::INBOX_STATE, "the cover is over, or between others");
        let cover = cover.ok_or_else(over)?;
        let hit = reads.read("CareTeam", id, None)?;
        if hit.version != version {
            return Err(Fault::new(&code::VERSION_CONFLICT, "somebody changed it; look again"));
        }
        Ok((cover, hit))
    })();
    let (_, hit) = reads.settle(outcome).await?;
    let document = parsed(&hit)?;
    let mut out = write::from(document.root(), &["status"]);
    out.member("status", "inactive").end_object();
    let body = out.finish();
    let of = type_of("CareTeam")?;
    let mut again = false;
    let made = session.carry_out(Told::Operation, |session| {
        // Made anew when something came between: whoever asks has to look at that first.
        if again && session.read(of, id, None)?.value.version != version {
            return Err(Fault::new(&code::VERSION_CONFLICT, "somebody changed it; look again"));
        }
        again = true;
        let mut work = Work::new();
        work.update("CareTeam", id, version, body.clone());
        Ok(work)
    });
    made.await.map(drop)
}

pub(crate) fn nobody() -> Fault {
    let text =
        "whoever asks is no practitioner of this house, and owns nothing here; ask somebody who is";
    Fault::new(&code::INBOX_PERSON, text)
}

fn write_cover(form: &CoverForm, of: &(String, String), by: &(String, String)) -> Vec<u8> {
    let mut out = Writer::new();
    let period = |out: &mut Writer| {
        out.key("period").object().member("start", &form.from.to_instant());
        out.member("end", &form.until.to_instant()).end_object();
    };
    out.object().member("resourceType", "CareTeam");
    out.key("identifier").array().object().member("system", SYSTEM).member("value", &form.form);
    out.end_object().end_array();
    out.member("status", "active");
    out.key("category").array();
    code_item(&mut out, COVER);
    out.end_array();
    out.member("name", &format!("Cover for {}", of.1));
    period(&mut out);
    out.key("participant").array();
    for (role, who) in [(COVERED, of), (COVERING, by)] {
        out.object().key("role").array();
        code_item(&mut out, role);
        out.end_array();
        write::refer(&mut out, "member", (&who.0, &who.1));
        period(&mut out);
        out.end_object();
    }
    out.end_array().end_object();
    out.finish()
}

fn code_item(out: &mut Writer, code: &str) {
    out.object().key("coding").array();
    out.object().member("system", SYSTEM).member("code", code).end_object();
    out.end_array().end_object();
}

/// What a practitioner is called: as on a door.
pub(crate) fn called(root: fhir::Value<'_>) -> String {
    let Some(name) = crate::read::each(root, "name").next() else { return String::new() };
    let whole = crate::read::text(name, "text");
    if !whole.is_empty() {
        return whole;
    }
    let list = |member: &str| {
        let parts = crate::read::each(name, member).filter_map(|part| part.as_str());
        parts.map(|part| part.into_owned()).collect::<Vec<_>>()
    };
    let mut parts = list("prefix");
    parts.extend(list("given"));
    parts.push(crate::read::text(name, "family"));
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}
