//! Contract of `validation`.

mod data;
mod examples;
mod mutation;
mod rules;
mod synthea;
mod verdicts;
