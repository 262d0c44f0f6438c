//! Contract tests of `access`.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod load;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod support;
#[cfg(test)]
mod walls;
