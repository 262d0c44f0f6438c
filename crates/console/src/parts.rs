//! The parts that pages are made of. Each is a function from values to HTML, used by every page that has
//! such a thing and shown in every state by the gallery, so that one look changes in one place.

mod badge;
mod banner;
mod form;
mod icon;
mod list;
mod notice;
mod qr;
pub(crate) mod shell;
mod spark;
mod table;

pub(crate) use badge::{Tone, badge};
pub(crate) use banner::{Banner, Chart, banner, born, gender};
pub(crate) use form::{
    Choice, Field, Kind, button, choices, error_summary, field, first_field, hidden, link_button,
};
pub(crate) use icon::{Icon, icon};
pub(crate) use list::{Chip, Tab, chips, copyable, facts, pages, panel, tabs, unbroken};
pub(crate) use notice::{dialog, empty, notice, toast};
pub(crate) use qr::qr;
pub(crate) use shell::{
    Screen, bare, finds_patients, may_register, may_review, places, role_name, shell, shell_with,
};
pub(crate) use spark::{Spark, spark};
pub(crate) use table::{Column, Table, table};
