//! Who saw my record: the accesses to one patient's data, grouped and in plain words, with the reason
//! that is held (45 CFR 164.528, accounting of disclosures; 170.315(d)(3); 45 CFR 164.524).

use crate::access_log::LogQuery;
use crate::session::{Audited, Session};
use audit::{Decision, Entry, Event, Kind, Target, Wanted};
use base::error::code;
use base::{Fault, Millis};
use identity::PrincipalId;
use std::collections::HashMap;

/// Accesses told of at most; a patient with more gives a span of time.
const EVENTS_MAX: usize = 20_000;
/// Events looked at at most.
const LOOKS_MAX: u64 = 200_000;

/// What was done by one person for one reason on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who: the principal's id, for who may read the log, or where the site's staff is named.
    pub who: Option<String>,
    /// Who, in words: a name, or what somebody is here.
    pub name: String,
    /// On whose behalf, when it was another's and ids are told.
    pub on_behalf_of: Option<String>,
    /// Through which app.
    pub app: Option<String>,
    /// What, in plain words.
    pub did: &'static str,
    /// Why, in plain words, as far as it was recorded.
    pub reason: String,
    /// The glass was broken.
    pub emergency: bool,
    /// It was refused.
    pub refused: bool,
    /// How often that day.
    pub times: u64,
    /// The first time that day.
    pub first: Millis,
    /// The last time that day.
    pub last: Millis,
}

/// Who saw a patient's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounting {
    /// The accesses, newest first.
    pub accesses: Vec<Access>,
    /// How many events they are.
    pub events: u64,
}

impl Session {
    /// Whether [`Session::who_saw`] would tell who saw a patient's record. It leaves no event.
    #[must_use]
    pub fn may_see_who_saw(&self, patient: &str) -> bool {
        self.may_read_log(Some(patient)).is_ok()
    }

    /// Who saw the record of a patient from `from` on until before `until`.
    ///
    /// # Errors
    /// `access.denied` for who may not know; `search.query.too-costly` when there is more than can be
    /// told at once.
    pub fn who_saw(
        &self,
        patient: &str,
        from: Option<Millis>,
        until: Option<Millis>,
    ) -> Result<Audited<Accounting>, Fault> {
        let mut event = self.event(Kind::Review);
        event.targets.push(Target::resource("Patient", patient, None));
        event.patients.push(patient.to_owned());
        let query =
            LogQuery { patient: Some(patient.to_owned()), from, until, ..LogQuery::default() };
        match self.account(&query) {
            Ok(accounting) => {
                event.results = accounting.events;
                self.audited(&event, accounting)
            }
            Err(fault) => {
                if fault.code() == &code::ACCESS_DENIED {
                    event.decision = Decision::Deny;
                }
                Err(self.refused(event, fault))
            }
        }
    }

    fn account(&self, query: &LogQuery) -> Result<Accounting, Fault> {
        self.may_read_log(query.patient.as_deref())?;
        let wanted = Wanted {
            patient: query.patient.as_deref(),
            from: query.from,
            until: query.until,
            before: u64::MAX,
            count: EVENTS_MAX,
            looks_max: LOOKS_MAX,
            fits: &|event| touched(event, query.patient.as_deref().unwrap_or_default()),
        };
        self.gate.log.catch_up()?;
        let page = self.gate.finder.lock().newest(&wanted)?;
        if page.next.is_some() {
            let what = "there are more accesses than can be told at once; ask for a shorter time";
            return Err(Fault::new(&code::SEARCH_TOO_COSTLY, what));
        }
        let mut accounting = group(&page.entries);
        // Whoever may read the whole log is told who it was; a patient, what the site's policy is.
        let keeps = self.may_read_log(None).is_ok();
        let named = self.gate.settings.staff_named || keeps;
        let mut known = HashMap::new();
        for access in &mut accounting.accesses {
            let mut name = |id: &Option<String>| {
                let id = id.clone().unwrap_or_default();
                known.entry(id).or_insert_with_key(|id| self.name_of(id, named)).clone()
            };
            // Of an agent both are told, first whoever answers for it.
            access.name = match &access.on_behalf_of {
                Some(_) => format!("{}, by {}", name(&access.on_behalf_of), name(&access.who)),
                None => name(&access.who),
            };
            // What staff wrote in an emergency may be about whoever speaks for the patient.
            if !keeps && access.emergency {
                access.reason = "in an emergency".to_owned();
            }
            if !named {
                (access.who, access.on_behalf_of) = (None, None);
            }
        }
        Ok(accounting)
    }

    /// A principal in words.
    pub(crate) fn name_of(&self, id: &str, named: bool) -> String {
        let Some(id) = PrincipalId::parse(id) else {
            return "somebody at the clinic's own machine".to_owned();
        };
        let Ok(principal) = self.gate.directory.identity.principal(id) else {
            return "somebody whose account cannot be read".to_owned();
        };
        let profile = &principal.profile;
        match principal.kind {
            identity::Kind::Agent => format!("the assistant {}", profile.display),
            _ if named => profile.display.clone(),
            identity::Kind::Person if profile.patient.is_some() => "a patient".to_owned(),
            identity::Kind::Person if !profile.represents.is_empty() => {
                "somebody who speaks for a patient".to_owned()
            }
            identity::Kind::Person => match profile.roles.first() {
                Some(role) => format!("staff: {role}"),
                None => "staff".to_owned(),
            },
            identity::Kind::App => format!("the app {}", profile.display),
            _ => "a program of the clinic".to_owned(),
        }
    }
}

/// Whether an event is an access to the patient's data: shown, changed, or tried. That the server
/// looked after itself, or that this list was read, is not.
fn touched(event: &Event, patient: &str) -> bool {
    let shown = event.patients.iter().any(|id| id == patient);
    match event.kind {
        Kind::UserCreate
        | Kind::UserChange
        | Kind::UserDisable
        | Kind::UserEnable
        | Kind::PasswordSet
        | Kind::SignIn
        | Kind::SignOut
        | Kind::SignInConfined
        | Kind::PasswordBreached
        | Kind::SignInFailed
        | Kind::StepUp
        | Kind::FactorAdded
        | Kind::RecoveryCodes
        | Kind::FactorRenamed
        | Kind::FactorRemoved
        | Kind::FactorsReset
        | Kind::TokenIssued
        | Kind::SessionRevoked
        | Kind::ClaimDrawn
        | Kind::Claimed
        | Kind::Linked
        | Kind::Unlinked
        | Kind::RolesMapped
        | Kind::Delegated
        | Kind::DelegationEnded
        | Kind::Metadata
        | Kind::Start
        | Kind::Stop
        | Kind::PolicyChange
        | Kind::PolicyAsked
        | Kind::CaseOpened
        | Kind::CaseChanged
        | Kind::CaseRead
        | Kind::Page
        // Ids and versions; what is fetched because of one has its own event.
        | Kind::Followed
        | Kind::HouseChecked
        | Kind::RootKeyMoved
        | Kind::RootKeyRewrapped
        // The booking has its own event.
        | Kind::Overbooked
        | Kind::PeopleRead
        | Kind::AccessReviewed
        | Kind::Review => false,
        _ => shown || event.decision == Decision::Deny || event.status < 400,
    }
}

/// Groups events, newest first, by person, day, what and why.
#[must_use]
pub(crate) fn group(entries: &[Entry]) -> Accounting {
    let mut accesses: Vec<Access> = Vec::new();
    let mut open = HashMap::new();
    for Entry { event, .. } in entries {
        let receipt = event.receipt.as_deref();
        let one = Access {
            who: Some(event.actor.to_string()),
            name: String::new(),
            on_behalf_of: receipt.and_then(|r| r.on_behalf_of.clone()),
            // An agent is who acts; it is not told a second time.
            app: receipt.and_then(|r| r.client.clone()).filter(|id| *id != event.actor),
            did: did(event),
            reason: reason(event),
            emergency: receipt.is_some_and(|r| r.break_glass.is_some()),
            refused: event.decision == Decision::Deny || event.status >= 400,
            times: 1,
            first: event.time,
            last: event.time,
        };
        let day = event.time.0.div_euclid(86_400_000);
        let key = (
            day,
            one.who.clone(),
            one.on_behalf_of.clone(),
            one.app.clone(),
            (one.did, one.reason.clone(), one.refused),
        );
        let place = *open.entry(key).or_insert(accesses.len());
        match accesses.get_mut(place) {
            Some(known) => {
                known.times += 1;
                known.first = known.first.min(one.first);
                known.last = known.last.max(one.last);
            }
            None => accesses.push(one),
        }
    }
    Accounting { accesses, events: entries.len() as u64 }
}

/// What was done, as one would say it.
fn did(event: &Event) -> &'static str {
    if event.decision == Decision::Deny {
        return "tried to, and was refused";
    }
    if event.status >= 400 {
        return "tried to, and it failed";
    }
    act_in_words(event.kind)
}

/// What an access of a kind is in [`Access::did`]. A door that speaks another language says it by this.
#[must_use]
pub const fn act_in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Read | Kind::Vread => "opened a part of the record",
        Kind::Search => "searched, and was shown parts of the record",
        Kind::History => "looked at how the record changed",
        Kind::BreakGlass => "opened the record in an emergency",
        Kind::Operation => "looked at the whole record",
        Kind::ChartOpened => "opened the chart",
        Kind::DraftKept => "wrote on a note that is not signed yet",
        Kind::DraftRead => "read their own note that is not signed yet",
        Kind::DraftDropped => "threw away their own note that was not signed",
        Kind::PatientsMerged => {
            "linked the record with another of the same patient, or parted them"
        }
        Kind::DuplicateDecided => "decided whether another record is of the same patient",
        Kind::Reminder => "reminded you of a visit",
        Kind::Create => "added to the record",
        Kind::Update | Kind::Patch => "changed the record",
        Kind::Delete => "deleted a part of the record",
        Kind::Transaction | Kind::Batch => "added to or changed the record",
        Kind::Import | Kind::Restore => "loaded the record into the system",
        Kind::Export | Kind::Backup => "copied the record out of the system",
        // What concerns no patient.
        _ => "asked about it",
    }
}

/// Why, as far as it was recorded (codes of v3-PurposeOfUse).
fn reason(event: &Event) -> String {
    let Some(receipt) = event.receipt.as_deref() else {
        return "no reason is recorded".to_owned();
    };
    if let Some(code) = &receipt.break_glass {
        return match code.is_empty() {
            true => "in an emergency".to_owned(),
            false => format!("in an emergency: {code}"),
        };
    }
    match receipt.purpose.as_deref() {
        Some(code) => {
            purpose_in_words(code).map_or_else(|| format!("for the purpose {code}"), str::to_owned)
        }
        None if receipt.policies.is_empty() => "no reason is recorded".to_owned(),
        None => format!("permitted by {}", receipt.policies.join(", ")),
    }
}

/// What a purpose is in [`Access::reason`]; none for a code that nobody gave words.
#[must_use]
pub fn purpose_in_words(code: &str) -> Option<&'static str> {
    Some(match code {
        "TREAT" | "CAREMGT" | "COC" => "for treatment",
        "ETREAT" | "BTG" => "for treatment in an emergency",
        "HPAYMT" | "CLMATTCH" | "COVERAGE" | "ELIGDTRM" => "for payment",
        "HOPERAT" | "HQUALIMP" | "HSYSADMIN" | "RECORDMGT" => "to run the clinic",
        "PATRQT" | "PATADMIN" | "FAMRQT" => "at the patient's or the family's request",
        "HRESCH" | "CLINTRCH" => "for research",
        "PUBHLTH" => "for public health",
        "HLEGAL" => "for a legal reason",
        "HCOMPL" => "to check that the rules are kept",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use audit::{Hash, Receipt};

    fn entry(seq: u64, time: i64, actor: &'static str, change: impl FnOnce(&mut Event)) -> Entry {
        let mut event = Event::new(Millis(time), [0; 16], Kind::Read);
        event.actor = actor.into();
        event.patients.push("ada".to_owned());
        change(&mut event);
        Entry { seq, hash: Hash::GENESIS, event }
    }

    #[test]
    fn what_an_agent_does_for_somebody_is_told_apart_from_what_they_do() {
        let agent = |event: &mut Event| {
            let (on_behalf_of, client) = (Some("doctor".to_owned()), Some("helper".to_owned()));
            let receipt = Receipt { on_behalf_of, client, ..Receipt::default() };
            event.receipt = Some(Box::new(receipt));
        };
        let told = group(&[entry(2, 20, "helper", agent), entry(1, 10, "doctor", |_| {})]);
        let who = |access: &Access| (access.who.clone(), access.on_behalf_of.clone());
        let said: Vec<_> = told.accesses.iter().map(who).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(said, [(text("helper"), text("doctor")), (text("doctor"), None)]);
        assert!(told.accesses.iter().all(|access| access.app.is_none()), "told once");
    }

    #[test]
    fn accesses_are_grouped_by_person_day_act_and_reason() {
        const DAY: i64 = 86_400_000;
        let treat = |event: &mut Event| {
            event.receipt =
                Some(Box::new(Receipt { purpose: Some("TREAT".to_owned()), ..Receipt::default() }));
        };
        let glass = |event: &mut Event| {
            let break_glass = Some("unconscious".to_owned());
            event.receipt = Some(Box::new(Receipt { break_glass, ..Receipt::default() }));
        };
        let told = group(&[
            entry(6, DAY + 30, "nurse", glass),
            entry(5, DAY + 20, "doctor", treat),
            entry(4, DAY + 10, "doctor", treat),
            entry(3, 40, "doctor", treat),
            entry(2, 30, "clerk", |event| event.decision = Decision::Deny),
            entry(1, 20, "clerk", |_| {}),
        ]);
        let lines: Vec<String> = told
            .accesses
            .iter()
            .map(|a| {
                format!(
                    "{} {} {}x {}",
                    a.who.as_deref().unwrap_or_default(),
                    a.did,
                    a.times,
                    a.reason
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "nurse opened a part of the record 1x in an emergency: unconscious",
                "doctor opened a part of the record 2x for treatment",
                "doctor opened a part of the record 1x for treatment",
                "clerk tried to, and was refused 1x no reason is recorded",
                "clerk opened a part of the record 1x no reason is recorded",
            ]
        );
        assert_eq!(
            (told.events, told.accesses[1].first, told.accesses[1].last),
            (6, Millis(DAY + 10), Millis(DAY + 20))
        );
        assert!(told.accesses[0].emergency && told.accesses[3].refused);
    }
}
