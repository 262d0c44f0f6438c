//! Contract of `validation`.
#![expect(clippy::expect_used, reason = "helpers of tests fail loudly")]

mod data;
mod examples;
mod mutation;
mod rules;
mod synthea;
mod verdicts;
