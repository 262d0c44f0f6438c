//! Contract of `fhirpath`.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod data;
#[cfg(test)]
mod evaluate;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod hl7;
