//! Contract tests of `identity`.

#[cfg(test)]
mod claim;
#[cfg(test)]
mod demand;
#[cfg(test)]
mod factors;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod principals;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod shelf;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod support;
