//! Contract of `store`: what every engine must do.

mod basics;
mod bulk;
mod cipher;
#[cfg(test)]
mod days;
mod help;
mod items;
mod matching;
mod people;
mod relabel;
mod scope;
mod search;
