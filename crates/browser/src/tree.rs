//! The page as assistive technology has it: elements by role and accessible name
//! ([WAI-ARIA 1.2](https://www.w3.org/TR/wai-aria-1.2/), [accname](https://www.w3.org/TR/accname-1.2/)).
//! A test that finds a button by its name fails when the button has none, as a screen reader would.

use crate::page::Page;
use anyhow::{Context, bail};
use serde_json::{Value, json};

/// Roles of what somebody can do something with.
const CONTROLS: [&str; 20] = [
    "button",
    "checkbox",
    "combobox",
    "DisclosureTriangle",
    "gridcell",
    "link",
    "listbox",
    "menuitem",
    "menuitemcheckbox",
    "menuitemradio",
    "option",
    "radio",
    "searchbox",
    "slider",
    "spinbutton",
    "switch",
    "tab",
    "textbox",
    "treeitem",
    "Date",
];
/// Nodes that an error lists.
const LISTED: usize = 20;

/// An element of the accessibility tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its role, such as `button`.
    pub role: String,
    /// Its accessible name.
    pub name: String,
    /// What assistive technology says beside the name.
    pub description: String,
    /// Whether it can have the focus.
    pub focusable: bool,
    /// Whether it can do nothing now.
    pub disabled: bool,
    /// Its number in the document.
    pub(crate) number: u64,
}

impl Node {
    fn read(value: &Value) -> Option<Self> {
        if value.get("ignored").and_then(Value::as_bool) == Some(true) {
            return None;
        }
        let text = |name: &str| {
            let text = value.get(name).and_then(|v| v.get("value")).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let properties = value.get("properties").and_then(Value::as_array);
        let is = |name: &str| {
            let property =
                properties.into_iter().flatten().find(|p| p.get("name").is_some_and(|n| n == name));
            property.and_then(|p| p.pointer("/value/value")).and_then(Value::as_bool) == Some(true)
        };
        Some(Self {
            role: text("role"),
            name: text("name"),
            description: text("description"),
            focusable: is("focusable"),
            disabled: is("disabled"),
            number: value.get("backendDOMNodeId").and_then(Value::as_u64)?,
        })
    }

    /// Whether somebody can do something with it.
    pub fn is_control(&self) -> bool {
        CONTROLS.contains(&self.role.as_str()) || (self.focusable && self.role != "RootWebArea")
    }

    /// As a test names it.
    pub fn said(&self) -> String {
        format!("{} “{}”", self.role, self.name)
    }
}

impl Page {
    /// Every node of the tree that is not ignored.
    pub fn tree(&self) -> anyhow::Result<Vec<Node>> {
        let tree = self.call("Accessibility.getFullAXTree", json!({}))?;
        let nodes = tree.get("nodes").and_then(Value::as_array).context("no tree")?;
        Ok(nodes.iter().filter_map(Node::read).collect())
    }

    /// Every element of this role and name, in the order of the document.
    pub fn all(&self, role: &str, name: &str) -> anyhow::Result<Vec<Node>> {
        Ok(self.tree()?.into_iter().filter(|n| n.role == role && n.name == name).collect())
    }

    /// The names of all elements of a role.
    pub fn names(&self, role: &str) -> anyhow::Result<Vec<String>> {
        let nodes = self.tree()?.into_iter().filter(|node| node.role == role);
        Ok(nodes.map(|node| node.name).collect())
    }

    /// Waits for the one element of this role and name.
    ///
    /// # Errors
    /// When there is none in time, or more than one: a test does not guess which is meant.
    pub fn one(&mut self, role: &str, name: &str) -> anyhow::Result<Node> {
        let mut found = Vec::new();
        let waited = self.wait(&format!("the {role} “{name}”"), |page| {
            found = page.all(role, name)?;
            Ok(!found.is_empty())
        });
        if let Err(error) = waited {
            let there = self.tree().unwrap_or_default().into_iter().filter(Node::is_control);
            let there: Vec<String> = there.take(LISTED).map(|node| node.said()).collect();
            return Err(error.context(format!("there are only: {}", there.join(", "))));
        }
        if found.len() > 1 {
            return Err(self.fault(&format!("there are {} of the {role} “{name}”", found.len())));
        }
        found.pop().context("it is gone")
    }

    /// Waits until there is an element of this role and name.
    pub fn sees(&mut self, role: &str, name: &str) -> anyhow::Result<()> {
        self.wait(&format!("the {role} “{name}”"), |page| Ok(!page.all(role, name)?.is_empty()))
    }

    /// What has the focus; none when it is nowhere in particular.
    pub fn focus(&self) -> anyhow::Result<Option<Node>> {
        let ask = json!({ "expression": "document.activeElement" });
        let found = self.call("Runtime.evaluate", ask)?;
        let Some(object) = found.pointer("/result/objectId").and_then(Value::as_str) else {
            return Ok(None);
        };
        let nowhere =
            "function() { return this === document.body || this === document.documentElement; }";
        if self.js_on(object, nowhere, &[])? == true {
            return Ok(None);
        }
        let ask = json!({ "objectId": object, "fetchRelatives": false });
        let tree = self.call("Accessibility.getPartialAXTree", ask)?;
        let node = tree.pointer("/nodes/0").context("the focus is on nothing")?;
        // What the tree leaves out and yet takes the focus is a fault that the walk tells by this role.
        Ok(Some(Node::read(node).unwrap_or(Node {
            role: "none".to_owned(),
            name: String::new(),
            description: String::new(),
            focusable: true,
            disabled: false,
            number: self.number(object)?,
        })))
    }

    /// Waits until the focus is on the element of this role and name.
    pub fn focus_is(&mut self, role: &str, name: &str) -> anyhow::Result<()> {
        self.wait(&format!("the focus on the {role} “{name}”"), |page| {
            Ok(page.focus()?.is_some_and(|node| node.role == role && node.name == name))
        })
    }

    /// What a function comes to, called on a node's element.
    pub(crate) fn js_at(
        &self,
        node: &Node,
        function: &str,
        words: &[Value],
    ) -> anyhow::Result<Value> {
        let object = self.object(node)?;
        self.js_on(&object, function, words)
    }

    pub(crate) fn object(&self, node: &Node) -> anyhow::Result<String> {
        let object = self.call("DOM.resolveNode", json!({ "backendNodeId": node.number }))?;
        let object = object.pointer("/object/objectId").and_then(Value::as_str);
        Ok(object.with_context(|| format!("the {} is gone", node.said()))?.to_owned())
    }

    fn number(&self, object: &str) -> anyhow::Result<u64> {
        let node = self.call("DOM.describeNode", json!({ "objectId": object }))?;
        match node.pointer("/node/backendNodeId").and_then(Value::as_u64) {
            Some(number) => Ok(number),
            None => bail!("an element without a number"),
        }
    }
}
