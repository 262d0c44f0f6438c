//! The press: one buffer, one sink. Every resource opens with its type and id and goes out as soon
//! as it is closed, so a clinic of any size needs the memory of its largest resource.

use crate::code::{Code, RESTRICTED};
use crate::json::Json;

/// Where finished resources go: type, id, JSON text.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(&'static str, &str, &str);

/// Prints resources into a sink.
pub(crate) struct Press<'s> {
    json: Json,
    sink: Sink<'s>,
}

impl<'s> Press<'s> {
    /// A press over a sink.
    pub(crate) fn new(sink: Sink<'s>) -> Self {
        Self { json: Json::default(), sink }
    }

    /// Prints one resource; `body` writes what follows the id.
    pub(crate) fn emit(&mut self, kind: &'static str, id: &str, body: impl FnOnce(&mut Json)) {
        self.json.clear();
        self.json.root(|w| {
            w.text("resourceType", kind);
            w.text("id", id);
            body(w);
        });
        (self.sink)(kind, id, self.json.as_str());
    }
}

impl std::fmt::Debug for Press<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press").finish_non_exhaustive()
    }
}

/// Writes `meta` with the restricted label, on what state or federal law guards more closely
/// (42 CFR part 2; behavioral health), so that label masks have something to mask.
pub(crate) fn write_label(w: &mut Json, restricted: bool) {
    if restricted {
        w.obj("meta", |w| w.one("security", |w| w.coding_body(&RESTRICTED)));
    }
}

/// Writes `meta.tag`.
pub(crate) fn write_tag(w: &mut Json, tag: &Code) {
    w.obj("meta", |w| w.one("tag", |w| w.coding_body(tag)));
}
