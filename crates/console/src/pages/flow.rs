//! The day of the visits: who is expected, who has come, who is where and for how long (the board); the
//! wall's view of it; and checking somebody in. What a state is and which may follow is the department's
//! (`scheduling::flow`); here stands how it looks and what is pressed.

pub(crate) mod act;
pub(crate) mod board;
pub(crate) mod card;
pub(crate) mod check_in;
pub(crate) mod day;
pub(crate) mod entered;
pub(crate) mod today;
