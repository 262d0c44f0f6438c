//! A page walked by the keyboard alone: Tab reaches everything that can be used, shows where it is, and
//! leaves again ([WCAG 2.2](https://www.w3.org/TR/WCAG22/) 2.1.1, 2.1.2, 2.4.3, 2.4.7, 2.4.11).

use crate::layout::{MEASURE, texts};
use crate::page::Page;
use crate::tree::Node;
use serde_json::json;

/// Presses beyond the number of controls before a walk counts as caught.
const SPARE: usize = 10;
/// Stops of a page that is walked.
const STOPS_MAX: usize = 500;
/// Roles of fields that the focus goes through part by part, and the most of these.
const PARTED: [&str; 4] = ["Date", "DateTime", "InputTime", "Time"];
const PARTS_MAX: usize = 7;
/// Whether Tab owes an element a stop: not what is one of a group whose arrows lead on (radio buttons
/// of one name, members of a composite widget), nor what is there for the mouse beside a twin,
/// nor a part of the page that a script alone gives the focus to (WAI-ARIA: tabindex -1), nor what the
/// browser puts into a field of its own accord.
const OWED: &str = "function() {
  const within = this.getRootNode().host;
  if (within && within.matches('input,textarea,select,video,audio,details')) return false;
  if (this.tabIndex < 0 && this.matches('main,section,article,dialog,h1,h2,h3,h4,[role=main],[role=alert],[role=status],[role=dialog],[role=region]')) return false;
  if (this.disabled || this.tabIndex < 0 && this.closest('[role=grid],[role=listbox],[role=menu],[role=menubar],[role=radiogroup],[role=tablist],[role=toolbar],[role=tree],[role=treegrid],[role=combobox]')) return false;
  if (this.type === 'radio' && this.name) {
    const group = [...(this.form || document).querySelectorAll('input[type=radio]')].filter(e => e.name === this.name);
    const first = group.find(e => e.checked);
    return first ? first === this : group[0] === this;
  }
  return !this.inert && !this.closest('[inert]') && this.checkVisibility({ visibilityProperty: true });
}";

/// Where Tab stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// What has the focus there.
    pub node: Node,
    /// What is wrong with how it is shown.
    pub faults: Vec<String>,
}

/// What is wrong with a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A stop that does not show that it is one, or hides.
    Shown(String),
    /// The keyboard goes round in a part of the page, or does not go on.
    Trapped(String),
    /// Something that can be used, and not by the keyboard.
    Unreached(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shown(what) => write!(f, "the focus on {what}"),
            Self::Trapped(what) => write!(f, "Tab does not get out of {what}"),
            Self::Unreached(what) => write!(f, "Tab does not get to {what}"),
        }
    }
}

/// A walk through a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The stops, in their order.
    pub stops: Vec<Stop>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Page {
    /// Presses Tab from the top of the page until it leaves at the end.
    pub fn walk(&mut self) -> anyhow::Result<Walk> {
        self.settle_once()?;
        self.js(&format!("(globalThis.__measure = {MEASURE}).rest()"))?;
        let mut owed = Vec::new();
        for node in self.tree()?.into_iter().filter(Node::is_control) {
            if self.js_at(&node, OWED, &[])? == true {
                owed.push(node);
            }
        }
        let mut walk = Walk { stops: Vec::new(), faults: Vec::new() };
        let (mut last, mut parts) = (None, 0);
        let parted = owed.iter().filter(|node| PARTED.contains(&node.role.as_str())).count();
        for _ in 0..(owed.len() * 2 + parted * PARTS_MAX + SPARE).min(STOPS_MAX) {
            self.press("Tab")?;
            // Behind the last the focus leaves the page.
            let Some(node) = self.focus()? else { break };
            // A field for a date takes a press for each of its parts.
            if last == Some(node.number)
                && PARTED.contains(&node.role.as_str())
                && parts < PARTS_MAX
            {
                parts += 1;
                continue;
            }
            parts = 0;
            if last == Some(node.number) {
                if owed.len() > 1 {
                    walk.faults.push(Fault::Trapped(node.said()));
                }
                break;
            }
            if walk.stops.first().is_some_and(|first| first.node == node) {
                break;
            }
            last = Some(node.number);
            if walk.stops.iter().any(|stop| stop.node == node) {
                walk.faults.push(Fault::Trapped(format!("where {} is", node.said())));
                break;
            }
            let faults = texts(&self.js("globalThis.__measure.focused()")?)?;
            let told = faults.iter().map(|fault| Fault::Shown(format!("{}: {fault}", node.said())));
            walk.faults.extend(told);
            walk.stops.push(Stop { node, faults });
        }
        for node in owed {
            if !walk.stops.iter().any(|stop| stop.node.number == node.number) {
                walk.faults.push(Fault::Unreached(node.said()));
            }
        }
        // The next walk, or journey, begins at the top.
        self.call("Runtime.evaluate", json!({ "expression": "document.activeElement?.blur()" }))?;
        Ok(walk)
    }

    /// Opens a layer from the element that has the focus, by `key`, and closes it by Escape.
    ///
    /// # Errors
    /// When nothing of this role and name opens, Escape does not close it, or the focus is not back where
    /// it was.
    pub fn opens_and_closes(&mut self, key: &str, role: &str, name: &str) -> anyhow::Result<()> {
        let before = self.focus()?;
        self.press(key)?;
        self.sees(role, name)?;
        self.press("Escape")?;
        self.wait(&format!("Escape to close the {role} “{name}”"), |page| {
            Ok(page.all(role, name)?.is_empty())
        })?;
        let said = before.as_ref().map_or_else(|| "nothing".to_owned(), Node::said);
        self.wait(&format!("Escape to give the focus back to {said}"), |page| {
            Ok(page.focus()?.map(|node| node.number) == before.as_ref().map(|node| node.number))
        })
    }
}
