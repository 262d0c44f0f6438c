//! Booking at the desk: the service that screens, FHIR operations and commands call. It reads by search
//! under the caller's own session, judges by [`crate::rules`], writes through the gate, and there the
//! rule against double booking (`occupancy.rs`) has the last word, whoever writes at the same moment.
//!
//! Every act says what it did as [`Done`], with the version to name next and how it is taken back. A
//! record that changed since the caller looked is refused (`record.write.version-conflict`), and a form
//! that is sent twice is carried out once ([`Booking::form`]).

mod act;
mod board;
mod day;
pub(crate) mod document;
mod here;
mod judge;
mod load;
pub(crate) mod reads;
pub mod waitlist;

pub(crate) use act::booked;
pub use act::{REASONS, book, cancel, hold, move_to, next_state, no_show, release, undo};
pub use board::{BOARD_MAX, Board, board};
pub use day::{appointment, day, find};
pub use document::is_lapsed;
pub(crate) use here::role_of;
pub(crate) use here::{is_room, read_visit_type};
pub use here::{resources, sites, visit_type, visit_types};
pub(crate) use reads::{Reads, parsed};

use crate::actor::{Actor, Role};
use crate::calendar::{Holiday, US_FEDERAL, Why};
use crate::find::By;
use crate::flow::{State, Step};
use crate::occupied::Status;
use crate::rules::{Finding, Policy};
use crate::time::{Span, Time, Wall, Weekday, Zone, Zones};
use crate::visit_type::Modality;
use base::{Millis, Phi};

/// Resources that one question looks at: a large site; beyond it the answer says that it is partial.
pub const RESOURCES_MAX: usize = 500;
/// Rows of one grid: what a screen of a week over twenty providers holds, several times over.
pub const ROWS_MAX: usize = 60;
/// Days of one grid: six weeks of a month view.
pub const DAYS_MAX: i64 = 42;
/// The system of the identifier by which a form that is sent twice is booked once.
pub const FORM: &str = "urn:plummer:booking-form";
/// Letters of a form's id, of a comment and of a reason.
pub const FORM_MAX: usize = 64;
/// Letters of a comment.
pub const COMMENT_MAX: usize = 1_000;

/// What the house says of booking; the same for all who ask.
#[derive(Debug, Clone)]
pub struct House {
    /// The time zone database.
    pub zones: Zones,
    /// The zone of a site that does not tell its own (extension `time-zone` of its Location).
    pub zone: Zone,
    /// What the rules do here, and how often an hour of a clinician may be booked over.
    pub policy: Policy,
    /// What the sites keep.
    pub holidays: Vec<Holiday>,
    /// Minutes a place is held.
    pub hold_minutes: u32,
}

impl Default for House {
    /// UTC, federal holidays, ten minutes, and two bookings over another in an hour, with a reason.
    fn default() -> Self {
        let mut policy = Policy::default();
        policy.overbook_per_hour = 2;
        Self {
            zones: Zones::bundled(),
            zone: Zone::utc(),
            policy,
            holidays: US_FEDERAL.to_vec(),
            hold_minutes: crate::hold::MINUTES_DEFAULT,
        }
    }
}

/// A site: a place with people and rooms of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteHere {
    /// Its Location.
    pub location: Actor,
    /// What screens call it.
    pub name: String,
    /// Its zone.
    pub zone: Zone,
}

/// Who or what can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookable {
    /// The record appointments name: a Practitioner, a Location that is a room, a Device.
    pub actor: Actor,
    /// What screens call it; the reference when no name is known.
    pub name: String,
    /// As what it can be needed.
    pub roles: Vec<Role>,
    /// What it practises, in words; empty when it does not say.
    pub specialty: String,
    /// The Locations of the sites where it is.
    pub sites: Vec<Actor>,
    /// Languages spoken (BCP 47).
    pub languages: Vec<String>,
}

/// A list that may be a part of more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows, in the order of their names.
    pub rows: Vec<T>,
    /// There are more; ask for one site.
    pub more: bool,
}

/// The patient of an appointment, as far as the caller may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whom {
    /// The logical id.
    pub id: String,
    /// `FAMILY, Given`; none when the Patient is not visible to the caller.
    pub name: Option<Phi<String>>,
}

/// An appointment as screens show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The logical id.
    pub id: String,
    /// The version; what any act on it names.
    pub version: u64,
    /// `Appointment.status`
    pub status: Status,
    /// Where it stands on its day, as far as the appointment tells; none for what has no place there.
    pub state: Option<State>,
    /// When, without buffers; none for a wish without a time.
    pub span: Option<Span>,
    /// The zone it was booked in; none when it does not tell.
    pub zone: Option<String>,
    /// Minutes kept before and after.
    pub buffers: (u32, u32),
    /// For whom; none for time kept without a patient.
    pub patient: Option<Whom>,
    /// With whom and what, the patient not among them, those who declined neither.
    pub with: Vec<Actor>,
    /// The id of its visit type.
    pub visit_type: Option<String>,
    /// What it is, in words: its visit type's title or its description. May be empty.
    pub title: Phi<String>,
    /// It was booked over others, or against a rule, with a reason.
    pub overridden: bool,
    /// The id of the series it is of.
    pub series: Option<String>,
    /// The steps of its day, earliest first ([`crate::flow::Flow::of`] makes minutes of them).
    pub steps: Vec<Step>,
    /// Until when it is held and by whom, when it is a hold that is live.
    pub held: Option<HeldBy>,
    /// It holds a freed time for those on the waiting list who are asked.
    pub is_offered: bool,
    /// The code it was called off with.
    pub cancel_reason: Option<String>,
}

/// Who holds a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBy {
    /// The first instant at which it holds no longer.
    pub until: Millis,
    /// The caller holds it.
    pub own: bool,
}

/// Time of a row that is not free.
#[expect(clippy::large_enum_variant, reason = "nearly all entries of a grid are visits")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An appointment or a hold, visible to the caller.
    Visit(Visit),
    /// Taken, by what the caller may not see.
    Withheld(Span),
    /// Blocked.
    Blocked {
        /// When.
        span: Span,
        /// Why.
        why: Why,
        /// The Slot that says so, when one does.
        slot: Option<String>,
    },
}

/// One resource of a grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Who or what.
    pub resource: Bookable,
    /// When it is there, earliest first; blocks are not taken out.
    pub open: Vec<Span>,
    /// What it does not have, by start.
    pub entries: Vec<Entry>,
}

/// What a day, week or month grid needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// What it shows: from the first moment of the first date to the last of the last, of the zone.
    pub span: Span,
    /// The rows, in the order asked for.
    pub rows: Vec<Row>,
    /// Something could not be looked at: more than a grid holds, or a type the caller may not see.
    pub partial: bool,
}

/// What is looked for. Empty lists leave all in.
#[derive(Debug, Clone)]
pub struct Query {
    /// The id of the visit type.
    pub visit_type: String,
    /// For whom, so that times at which they are elsewhere are left out.
    pub patient: Option<String>,
    /// The starts that are considered.
    pub window: Span,
    /// The Locations of the sites.
    pub sites: Vec<Actor>,
    /// With whom or what.
    pub with: Vec<Actor>,
    /// How.
    pub modality: Option<Modality>,
    /// On which days.
    pub weekdays: Vec<Weekday>,
    /// From and until, and not with, which time of day.
    pub times: Option<(Time, Time)>,
    /// Whose clocks are meant.
    pub by: By,
    /// In which language.
    pub language: Option<String>,
    /// The zone of the patient's clocks.
    pub patient_zone: Option<Zone>,
    /// Minutes between starts.
    pub step_minutes: u32,
    /// How many places, 1 to 200.
    pub count: usize,
    /// One place for each start and site.
    pub one_per_start: bool,
    /// The appointment that is to be moved: its own time counts as free.
    pub instead_of: Option<String>,
}

/// A place for a visit: what a form carries, and what is held or booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The id of the visit type.
    pub visit_type: String,
    /// The Location of the site.
    pub site: Actor,
    /// When it begins; how long it lasts is the visit type's.
    pub start: Millis,
    /// Who and what, each as what it is needed.
    pub with: Vec<(Role, Actor)>,
    /// How; the visit type's first way when none.
    pub modality: Option<Modality>,
}

/// A place that is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Free {
    /// The place.
    pub place: Place,
    /// The visit, without buffers.
    pub span: Span,
    /// The zone of the site.
    pub zone: Zone,
    /// What its clocks show.
    pub wall: Wall,
    /// What the patient's clocks show, where they show something else.
    pub patient_wall: Option<Wall>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Earliest first.
    pub places: Vec<Free>,
    /// There may be more within the window.
    pub more: bool,
    /// Not everybody who could do it was looked at: more than [`RESOURCES_MAX`], or hidden.
    pub partial: bool,
}

/// A place that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The id of the pending Appointment that holds it: what others see.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// When the visit is.
    pub span: Span,
    /// The first instant at which it holds no longer.
    pub until: Millis,
}

/// What is to be booked.
#[derive(Debug, Clone)]
pub struct Booking {
    /// Where, when and with whom.
    pub place: Place,
    /// For whom: the logical id of the Patient.
    pub patient: String,
    /// The form's own id, drawn when it was shown: letters, digits and hyphens, 64 at most. The same
    /// form books once, however often it is sent.
    pub form: String,
    /// The hold that is used up by it, by id. It has to be the caller's and live.
    pub hold: Option<String>,
    /// Why it is booked although a rule asks for a reason. 3 to 500 letters.
    pub reason: Option<Phi<String>>,
    /// What the patient or the desk says of it.
    pub comment: Option<Phi<String>>,
    /// The `ServiceRequest` it is of, by id: the referral.
    pub referral: Option<String>,
}

/// Where an appointment goes.
#[derive(Debug, Clone)]
pub struct Move {
    /// The appointment.
    pub id: String,
    /// The version the caller looked at.
    pub version: u64,
    /// When it begins from now on.
    pub start: Millis,
    /// Whom it goes to: each pair puts the second in the place of the first.
    pub instead: Vec<(Actor, Actor)>,
    /// Why, when a rule asks for a reason.
    pub reason: Option<Phi<String>>,
}

/// How an act is taken back: [`undo`] puts the version before in place again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The appointment.
    pub id: String,
    /// The version the act made; it has to be the newest still.
    pub version: u64,
    /// The version that comes back.
    pub before: u64,
}

/// What an act did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The appointment as it is now.
    pub visit: Visit,
    /// The same form was sent before: nothing was done now.
    pub again: bool,
    /// How it is taken back, where it can be.
    pub undo: Option<Undo>,
    /// The rules that spoke: those that only warn, and those that a reason set aside.
    pub findings: Vec<Finding>,
}
