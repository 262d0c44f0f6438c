//! A small clinic for the tests: sites, resources and visit types that can be varied.

use base::Millis;
use scheduling::actor::{Actor, Role};
use scheduling::calendar::{Hours, Site, US_FEDERAL};
use scheduling::time::{Span, Time, Weekday, Zone, Zones};
use scheduling::visit_type::{Modality, Need, VisitType};

pub(crate) fn actor(text: &str) -> Actor {
    Actor::parse(text).unwrap()
}

pub(crate) fn doctor(n: usize) -> Actor {
    actor(&format!("Practitioner/d{n:02}"))
}

pub(crate) fn room(n: usize) -> Actor {
    actor(&format!("Location/r{n:02}"))
}

pub(crate) fn zone(name: &str) -> Zone {
    Zones::bundled().find(name).unwrap()
}

pub(crate) fn site(n: usize, zone_name: &str) -> Site {
    let hours = |weekday| Hours {
        weekday,
        from: Time::constant(8, 0, 0, 0),
        until: Time::constant(17, 0, 0, 0),
    };
    let days =
        [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    Site {
        location: actor(&format!("Location/site{n}")),
        zone: zone(zone_name),
        hours: days.map(hours).to_vec(),
        holidays: US_FEDERAL.to_vec(),
    }
}

pub(crate) fn visit(needs: Vec<Need>) -> VisitType {
    VisitType {
        id: Some("v".to_owned()),
        title: "Checkup".to_owned(),
        active: true,
        duration_minutes: 30,
        before_minutes: 0,
        after_minutes: 0,
        needs,
        modalities: vec![Modality::InPerson],
        preparation: String::new(),
        questions: Vec::new(),
        lead_minutes: 0,
        daily_cap: None,
        age_min: None,
        age_max: None,
        sex: None,
        referral_required: false,
    }
}

pub(crate) fn anybody(role: Role) -> Need {
    Need { role, candidates: Vec::new() }
}

pub(crate) fn span(start: i64, ms: i64) -> Span {
    Span::new(Millis(start), Millis(start + ms)).unwrap()
}
