//! Contract of `store`: what every engine must do.

mod basics;
mod help;
mod scope;
mod search;
