//! What somebody does on a page, with mouse and keyboard as they are: a click lands on whatever lies
//! there, a key goes to whatever has the focus. Each is counted, and a journey states what it may cost.

use crate::keys::Key;
use crate::page::Page;
use crate::tree::Node;
use anyhow::{Context, bail};
use serde_json::{Value, json};

/// Presses of Tab in the search of one element.
const TABS_MAX: usize = 200;
/// Rounds through a page in that search.
const ROUNDS_MAX: u32 = 3;
/// What lies at the middle of an element, if it is not the element, what is in it, or its label.
const COVERED: &str = "function(x, y) {
  const top = document.elementFromPoint(x, y);
  const own = !top || top === this || this.contains(top) || top.contains(this) && top.tagName === 'LABEL'
    || [...(this.labels || [])].some(label => label.contains(top));
  if (!top) return 'nothing, since it is outside the window';
  return own ? '' : top.tagName.toLowerCase() + ' “' + (top.textContent || '').trim().slice(0, 40) + '”';
}";

/// What a journey may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Clicks of the mouse.
    pub clicks: u32,
    /// Keys that are pressed, characters among them; what is pasted is one.
    pub keys: u32,
}

impl Page {
    /// Clicks on the one element of this role and name, when it is there and can be clicked.
    ///
    /// # Errors
    /// When it does not come, is not the only one, stays disabled, or something lies over it.
    pub fn click(&mut self, role: &str, name: &str) -> anyhow::Result<()> {
        let mut node = self.one(role, name)?;
        self.settle_once()?;
        if node.disabled {
            self.wait(&format!("the {role} “{name}” to be enabled"), |page| {
                let found = page.all(role, name)?.into_iter().find(|node| !node.disabled);
                let there = found.is_some();
                node = found.unwrap_or_else(|| node.clone());
                Ok(there)
            })?;
        }
        self.click_on(&node)
    }

    /// Waits until there is an element of this role whose name begins so.
    ///
    /// # Errors
    /// When it does not come.
    pub fn sees_first(&mut self, role: &str, begins: &str) -> anyhow::Result<()> {
        self.wait(&format!("a {role} “{begins}…”"), |page| {
            Ok(page.tree()?.iter().any(|node| node.role == role && node.name.starts_with(begins)))
        })
    }

    /// Clicks on the first element of this role whose name begins so, where a page has one for each row.
    ///
    /// # Errors
    /// As [`Page::click`], but for being the only one.
    pub fn click_first(&mut self, role: &str, begins: &str) -> anyhow::Result<()> {
        let mut node = None;
        self.wait(&format!("a {role} “{begins}…”"), |page| {
            let mut all = page.tree()?.into_iter();
            node = all.find(|n| n.role == role && n.name.starts_with(begins) && !n.disabled);
            Ok(node.is_some())
        })?;
        self.settle_once()?;
        self.click_on(&node.context("it is there")?)
    }

    /// Draws a line on the one element of this role and name, with the button held: through points that are
    /// given in hundredths of its width and height. It costs as much as a click.
    ///
    /// # Errors
    /// As [`Page::click`].
    pub fn draws(&mut self, role: &str, name: &str, line: &[(f64, f64)]) -> anyhow::Result<()> {
        let node = self.one(role, name)?;
        self.settle_once()?;
        self.done.push(format!("draws on the {}", node.said()));
        self.clicks += 1;
        let (x, y) = self.middle(&node)?;
        let quads = self.call("DOM.getContentQuads", json!({ "backendNodeId": node.number }))?;
        let at = |place: &str| quads.pointer(place).and_then(Value::as_f64);
        let (Some(left), Some(top)) = (at("/quads/0/0"), at("/quads/0/1")) else {
            bail!("the {} has no place", node.said());
        };
        let last = line.len().saturating_sub(1);
        for (index, (part_x, part_y)) in line.iter().enumerate() {
            let point = (left + (x - left) * part_x / 50.0, top + (y - top) * part_y / 50.0);
            let kinds: &[&str] = match index {
                0 => &["mouseMoved", "mousePressed"],
                _ if index == last => &["mouseMoved", "mouseReleased"],
                _ => &["mouseMoved"],
            };
            for kind in kinds {
                let held = index > 0 || *kind == "mousePressed";
                let event = json!({
                    "type": kind, "x": point.0, "y": point.1, "clickCount": 1,
                    "button": if held { "left" } else { "none" },
                    "buttons": i32::from(held && *kind != "mouseReleased"),
                });
                self.call("Input.dispatchMouseEvent", event)?;
            }
        }
        self.listen()
    }

    fn click_on(&mut self, node: &Node) -> anyhow::Result<()> {
        self.done.push(format!("clicks the {}", node.said()));
        self.clicks += 1;
        let (x, y) = self.middle(node)?;
        let covered = self.js_at(node, COVERED, &[x.into(), y.into()])?;
        if let Some(by) = covered.as_str().filter(|by| !by.is_empty()) {
            return Err(self.fault(&format!("over the {} lies {by}", node.said())));
        }
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({
                "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event)?;
        }
        self.listen()
    }

    fn middle(&self, node: &Node) -> anyhow::Result<(f64, f64)> {
        let place = json!({ "backendNodeId": node.number });
        self.call("DOM.scrollIntoViewIfNeeded", place.clone())
            .with_context(|| format!("the {} is not shown", node.said()))?;
        let quads = self.call("DOM.getContentQuads", place)?;
        let quad = quads.pointer("/quads/0").and_then(Value::as_array);
        let quad: Vec<f64> = quad.into_iter().flatten().filter_map(Value::as_f64).collect();
        match quad.as_slice() {
            [x0, y0, _, _, x1, y1, ..] => Ok((f64::midpoint(*x0, *x1), f64::midpoint(*y0, *y1))),
            _ => bail!("the {} has no place", node.said()),
        }
    }

    /// Presses a key, such as `Tab`, `Control+k` or `/`.
    pub fn press(&mut self, name: &str) -> anyhow::Result<()> {
        self.settle_once()?;
        self.done.push(format!("presses {name}"));
        self.strike(&Key::parse(name)?)
    }

    /// Types a text, key by key. What it is stays out of every message.
    pub fn types(&mut self, text: &str) -> anyhow::Result<()> {
        self.settle_once()?;
        let count = text.chars().count();
        self.done.push(format!("types {count} characters"));
        for c in text.chars() {
            if c.is_ascii_graphic() || c == ' ' {
                let key = Key::parse(c.encode_utf8(&mut [0; 4]))?;
                self.strike(&key)?;
            } else {
                self.keys += 1;
                self.call("Input.insertText", json!({ "text": c.to_string() }))?;
            }
        }
        Ok(())
    }

    /// Puts a text in at once, as pasting and password managers do.
    pub fn pastes(&mut self, text: &str) -> anyhow::Result<()> {
        self.settle_once()?;
        self.done.push(format!("pastes {} characters", text.chars().count()));
        self.keys += 1;
        self.call("Input.insertText", json!({ "text": text }))?;
        self.listen()
    }

    /// Presses Tab until the focus is on the one element of this role and name. It looks where the focus
    /// is: a count would hold until somebody adds a link.
    ///
    /// # Errors
    /// When the keyboard does not get there.
    pub fn tab_to(&mut self, role: &str, name: &str) -> anyhow::Result<()> {
        // What a click before this one caused may still be on its way.
        self.one(role, name)?;
        self.settle_once()?;
        let mut met: Vec<String> = Vec::new();
        let (mut first, mut rounds) = (None, 0);
        for _ in 0..TABS_MAX {
            let here = self.focus()?;
            if let Some(node) = &here {
                if node.role == role && node.name == name {
                    return Ok(());
                }
                // Behind the last stop the browser comes back to the first when it likes, so that a Tab
                // may go past it: a second round finds it.
                rounds += u32::from(first == Some(node.number));
                if rounds == ROUNDS_MAX {
                    break;
                }
                first = first.or(Some(node.number));
                met.push(node.said());
            }
            self.press("Tab")?;
        }
        Err(self.fault(&format!("Tab leads to no {role} “{name}”, but: {}", met.join(", "))))
    }

    fn strike(&mut self, key: &Key) -> anyhow::Result<()> {
        self.keys += 1;
        let mut event = json!({
            "type": if key.text.is_some() { "keyDown" } else { "rawKeyDown" },
            "key": key.key, "code": key.code, "modifiers": key.modifiers,
            "windowsVirtualKeyCode": key.number,
        });
        let up = json!({
            "type": "keyUp", "key": key.key, "code": key.code, "modifiers": key.modifiers,
            "windowsVirtualKeyCode": key.number,
        });
        if let (Some(text), Some(event)) = (&key.text, event.as_object_mut()) {
            event.insert("text".to_owned(), text.as_str().into());
        }
        self.call("Input.dispatchKeyEvent", event)?;
        self.call("Input.dispatchKeyEvent", up)?;
        self.listen()
    }

    /// Clicks and keys so far.
    pub fn spent(&self) -> Budget {
        Budget { clicks: self.clicks, keys: self.keys }
    }

    /// Ends a journey.
    ///
    /// # Errors
    /// When it cost more than its budget: with all that was done. When the page did anything wrong on
    /// the way: with each of it.
    pub fn end(&mut self, budget: Budget) -> anyhow::Result<()> {
        let faults = self.faults()?;
        if !faults.is_empty() {
            return Err(self.fault(&format!("on the way: {}", faults.join("\n  and: "))));
        }
        let spent = self.spent();
        if spent.clicks > budget.clicks || spent.keys > budget.keys {
            return Err(self.fault(&format!("it took {spent:?}, of {budget:?}")));
        }
        Ok(())
    }
}
