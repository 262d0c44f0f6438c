//! The visits of a day for a flow board: where each stands and since when, with the people, rooms and
//! sites that are in them, as far as the caller may see.

use super::Visit;
use super::reads::{Reads, parsed};
use crate::actor::Actor;
use crate::time::Span;
use base::Fault;
use record::{Hit, Session};

/// Visits of one board: a day of a large site with twenty clinicians, and half as many again.
pub const BOARD_MAX: usize = 600;

/// The visits of a day.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// Those that have a place on a board, earliest first.
    pub visits: Vec<Visit>,
    /// Patients, Practitioners, Locations and others that are in them, as far as the caller may see.
    pub actors: Vec<Hit>,
    /// Not all could be looked at: there are more than a board holds, or one that is not understood.
    pub partial: bool,
}

/// The visits that begin within a span: all, or those with one person, room or device.
///
/// # Errors
/// As a search.
pub async fn board(session: &Session, span: Span, with: Option<&Actor>) -> Result<Board, Fault> {
    let mut reads = Reads::new(session);
    let mut pairs = vec![
        ("date", format!("ge{}", span.start.to_instant())),
        ("date", format!("lt{}", span.end.to_instant())),
        ("_include", "Appointment:actor".to_owned()),
        ("_sort", "date".to_owned()),
    ];
    pairs.extend(with.map(|actor| ("actor", actor.as_str().to_owned())));
    let outcome = reads.search("Appointment", &pairs, BOARD_MAX).map(|found| {
        let mut board = Board { actors: found.included, ..Board::default() };
        let now = session.now();
        for hit in found.matches.iter().take(BOARD_MAX) {
            let visit = parsed(hit).and_then(|d| Visit::of(hit, d.root(), &[], (now, "")));
            match visit {
                Ok(visit) => board.visits.extend(visit.state.is_some().then_some(visit)),
                Err(_) => board.partial = true,
            }
        }
        board.partial |= found.matches.len() > BOARD_MAX;
        board
    });
    let partial = reads.partial;
    let board = reads.settle(outcome).await?;
    Ok(Board { partial: board.partial || partial, ..board })
}
