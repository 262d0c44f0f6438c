//! A shared library for `LD_PRELOAD` that stands between a program and its files, and journals what a
//! loss of power would undo: `cargo xtask crash` uses it to hold the server to fsync(2) and nothing
//! less (docs/internals/crash.md). It is never part of the product.
//!
//! `unsafe` is what this trade consists of: it defines functions of the C library under their own
//! names, and is called with raw pointers whose validity the caller owes to those functions' contract
//! (POSIX.1-2017). Every block says what it relies on. The real calls are made as system calls, so no
//! function here calls itself. A change is journalled before it is made, under one lock, so that the
//! journal's order is the order of the changes and its last record is the only one a kill can cut.
#![expect(unsafe_code, reason = "it replaces functions of the C library")]

mod calls;
mod journal;
mod state;
