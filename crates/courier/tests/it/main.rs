//! Contract tests of `courier`: against a mail server and a webhook made by hand.

#[cfg(test)]
mod mail;
#[cfg(test)]
mod webhook;
