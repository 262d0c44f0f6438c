//! Contract of `store`: what every engine must do.

mod basics;
mod bulk;
mod help;
mod items;
mod scope;
mod search;
