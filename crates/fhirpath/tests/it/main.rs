//! Contract of `fhirpath`.

#[cfg(test)]
mod corpus;
#[cfg(test)]
#[cfg(test)]
mod evaluate;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod hl7;

pub(crate) use testkit::data;
