//! The bench against a server in memory that can leak in one way at a time: with all its guards on the
//! bench must find nothing, and with one off it must find that.

#[cfg(test)]
mod bites;
#[cfg(test)]
mod front;
