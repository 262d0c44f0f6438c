//! Contract tests of `keys`.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod envelope;
#[cfg(test)]
mod keyring;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod patients;
#[cfg(test)]
mod root;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod support;
