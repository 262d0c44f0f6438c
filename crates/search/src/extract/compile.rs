//! Compiles the paths of a type's atoms into an extraction program: choice elements become their
//! JSON names (<https://hl7.org/fhir/R4/json.html>), conditions stand with the member they test.

use super::convert::Convert;
use super::{Branch, Condition, Holds, Leaf, Node, Program};
use crate::registry::Plan;
use crate::registry::path::Step;
use fhir::definitions::{Element, ElementType, TypeId, r4};

impl Program {
    /// The program of a type.
    pub(crate) fn compile(of: TypeId, plans: &[Plan]) -> Self {
        let mut program = Self { nodes: vec![Node::default()], holds: Vec::new() };
        for plan in plans {
            program.insert(0, of, &plan.steps, plan);
        }
        for node in &mut program.nodes {
            node.members.sort_by_key(|(name, _)| (name.len(), *name));
        }
        program
    }

    fn insert(&mut self, at: usize, of: TypeId, steps: &[Step], plan: &Plan) {
        let Some((Step::Member(name), mut rest)) = steps.split_first() else { return };
        let Some(element) = r4().get(of).element(name) else { return };
        let mut conditions = Vec::new();
        let mut only: Option<&[TypeId]> = None;
        while let Some((step, after)) = rest.split_first() {
            match step {
                Step::Member(_) => break,
                Step::As(types) => only = Some(types),
                Step::Equals { member, value } => conditions
                    .push(Condition::Equals { member: member.clone(), value: value.clone() }),
                Step::HasExtension(url) => conditions.push(Condition::HasExtension(url.clone())),
                Step::Nth(n) => conditions.push(Condition::Nth(*n)),
                Step::Holds => {
                    let members = json_names(of, element).map(|(name, _)| name).collect();
                    self.holds.push(Holds { atom: plan.id, members });
                    return;
                }
            }
            rest = after;
        }
        for (name, of) in json_names(of, element) {
            if only.is_some_and(|only| !only.iter().any(|o| r4().is_a(of.id, *o))) {
                continue;
            }
            if rest.is_empty() {
                if let Some(convert) = Convert::of(plan.shape, of.id, Some(element)) {
                    let leaf = Leaf { atom: plan.id, convert, grouped: plan.grouped };
                    if let Some(branch) = self.branch_of(at, name, &conditions) {
                        branch.leaves.push(leaf);
                    }
                }
            } else if let Some(child) = self.child_of(at, name, &conditions) {
                self.insert(child, of.id, rest, plan);
            }
        }
    }

    fn child_of(&mut self, at: usize, name: &'static str, on: &[Condition]) -> Option<usize> {
        let next = self.nodes.len();
        let branch = self.branch_of(at, name, on)?;
        let child = *branch.child.get_or_insert(next);
        if child == next {
            self.nodes.push(Node::default());
        }
        Some(child)
    }

    fn branch_of(
        &mut self,
        at: usize,
        name: &'static str,
        on: &[Condition],
    ) -> Option<&mut Branch> {
        let members = &mut self.nodes.get_mut(at)?.members;
        let member = match members.iter().position(|(n, _)| *n == name) {
            Some(member) => member,
            None => {
                members.push((name, Vec::new()));
                members.len() - 1
            }
        };
        let (_, branches) = members.get_mut(member)?;
        let branch = match branches.iter().position(|b| b.conditions == on) {
            Some(branch) => branch,
            None => {
                branches.push(Branch { conditions: on.to_vec(), leaves: Vec::new(), child: None });
                branches.len() - 1
            }
        };
        branches.get_mut(branch)
    }
}

/// The JSON names of an element with the type each stands for.
fn json_names(
    of: TypeId,
    element: &Element,
) -> impl Iterator<Item = (&'static str, &'static ElementType)> {
    let name = element.name;
    r4().get(of)
        .member_names()
        .filter(move |(_, member)| member.element.name == name)
        .map(|(json, member)| (json, member.of))
}
