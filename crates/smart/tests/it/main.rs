//! The contract of the authorization server, asked without HTTP. The numbers of attacks are those of
//! the guard's list.

#[cfg(test)]
mod apps;
#[cfg(test)]
mod assertions;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod delegations;
#[cfg(test)]
mod demand;
#[cfg(test)]
mod launches;
#[cfg(test)]
mod refreshes;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tokens;
