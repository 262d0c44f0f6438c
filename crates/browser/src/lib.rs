//! Screens tested in a real browser: a small client of Chromium's protocol for tools, and what every
//! screen is held to (docs/internals/browser.md). A tool: nothing of it is in the product.
//!
//! It knows no screen of ours. `cargo xtask browse` does, and starts the server.

mod act;
mod axe;
mod chromium;
mod differs;
mod emulate;
mod keyboard;
mod keys;
mod layout;
mod page;
mod paint;
mod picture;
mod tree;
mod watch;
mod wire;

pub use act::Budget;
pub use axe::{Axe, Violation};
pub use chromium::{Chromium, PATIENCE, PROGRAM, REQUIRED, find, find_or_skip};
pub use differs::Difference;
pub use emulate::Look;
pub use keyboard::{Fault, Stop, Walk};
pub use page::Page;
pub use paint::Paint;
pub use picture::Picture;
pub use tree::Node;
pub use watch::Request;
pub use wire::{Event, Wire};
