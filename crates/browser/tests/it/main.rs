//! The client against an endpoint made up, which answers late, wrongly or not at all; and every check
//! against a real browser, where there is one, on pages made to break it: a check that finds nothing
//! wrong with those would find nothing wrong with any.

#[cfg(test)]
mod checks;
#[cfg(test)]
mod real;
#[cfg(test)]
mod site;
#[cfg(test)]
mod wire;
