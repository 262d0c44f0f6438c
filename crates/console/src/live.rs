//! What a browser may be told of as it happens: topics, and of which types of records each is. A page names
//! the topics that it shows; what it does when one stirs is to fetch its parts again, under its own scope.

use crate::answer::{Answer, Body};
use crate::booking::type_id;
use crate::visit::Visit;
use base::Fault;
use fhir::definitions::TypeId;

/// The topics. A topic is a reason to look again, and no more.
const TOPICS: &[(&str, &[&str])] = &[
    ("visits", &["Appointment", "Encounter"]),
    ("calendar", &["Appointment", "Schedule", "Slot"]),
    ("inbox", &["Communication", "DiagnosticReport", "Task"]),
];

/// What a stream is to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// The mark from which on, as the page had it; empty for none.
    pub after: String,
}

impl Live {
    /// The types that are watched, each once.
    #[must_use]
    pub fn types(&self) -> Vec<TypeId> {
        let mut names: Vec<&str> =
            TOPICS.iter().flat_map(|(_, types)| types.iter().copied()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter_map(|name| type_id(name).ok()).collect()
    }

    /// The topics that a change of a record of a type stirs.
    pub fn topics_of(&self, name: &str) -> impl Iterator<Item = &'static str> + use<> {
        let name = name.to_owned();
        TOPICS
            .iter()
            .filter(move |(_, types)| types.contains(&name.as_str()))
            .map(|(topic, _)| *topic)
    }
}

/// `/events`: what changes, as it happens. The door holds the stream.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let live = Live { after: visit.parameter("after").to_owned() };
    Ok(Answer { status: 200, body: Body::Live(live), choices: Vec::new() })
}

/// The mark that a page has to carry so that nothing between its reading and its stream is missed. Taken
/// before the page reads.
pub(crate) fn mark(visit: &Visit) -> String {
    visit.session.mark_text(&visit.session.follow_from_now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_is_of_types_of_r4_and_each_type_stirs_its_topics() {
        let live = Live::default();
        let named: usize = TOPICS.iter().map(|(_, types)| types.len()).sum();
        assert_eq!(live.types().len(), named - 1, "Appointment is in two");
        assert_eq!(live.topics_of("Appointment").collect::<Vec<_>>(), ["visits", "calendar"]);
        assert_eq!(live.topics_of("Patient").count(), 0);
    }
}
