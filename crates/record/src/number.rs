//! Numbers that the house gives out, such as the number of a medical record: each once, in order, however
//! many ask at a time. A number that was drawn and not used is a gap and nothing worse (45 CFR
//! 164.312(a)(2)(i) asks of identifiers that they be unique, not that none be left out).

use crate::session::Session;
use crate::shelf::{closed_body, opened_body};
use access::Action;
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use store::{ItemAct, ItemChange, Unit};

/// The shelf.
const SHELF: &str = "number";
/// Times that a number is asked for again which another drew first. Each loss is somebody else's gain,
/// so only as many as draw at one moment can lose.
const TRIES: usize = 1_000;

impl Session {
    /// The next number for records of a type: 1, 2, 3 and so on. It is on the disk before it is answered.
    ///
    /// # Errors
    /// `access.denied` for whoever may create none of them; `identity.item.conflict` when others keep
    /// drawing first.
    pub async fn draw_number(&self, of: TypeId) -> Result<u64, Fault> {
        drop(self.scope_of(Action::Create, of)?);
        let key = r4().name(of).as_bytes().to_vec();
        let sealer = self.gate.settings.sealer.as_deref();
        for _ in 0..TRIES {
            let item = self.gate.store.item_get(SHELF, &key)?;
            let (replaces, last) = match &item {
                None => (None, 0),
                Some(item) => {
                    let plain = opened_body(sealer, SHELF, &key, item.version, &item.body)?;
                    let odd = || Fault::new(&code::STORE_CORRUPT, "a count does not stand as kept");
                    (Some(item.version), u64::from_be_bytes(plain.try_into().ok().ok_or_else(odd)?))
                }
            };
            let number = last.saturating_add(1);
            let version = replaces.unwrap_or(0).saturating_add(1);
            let plain = number.to_be_bytes().to_vec();
            let body = closed_body(sealer, SHELF, &key, version, plain)?;
            let change =
                ItemChange { shelf: SHELF, key: key.clone(), replaces, act: ItemAct::Put(body) };
            match self.put_items(vec![change], None).await {
                Err(fault) if fault.code() == &code::ITEM_CONFLICT => {}
                outcome => return outcome.map(|()| number),
            }
        }
        Err(Fault::new(&code::ITEM_CONFLICT, "others keep drawing numbers; try again"))
    }

    /// Changes items alone, with an event in the same commit where there is one to leave.
    pub(crate) async fn put_items(
        &self,
        items: Vec<ItemChange>,
        event: Option<audit::Event>,
    ) -> Result<(), Fault> {
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        let mut unit = Unit { items, ..Unit::default() };
        if let Some(event) = event {
            unit.events = Some(Box::new(move |receipt| {
                vec![audit::Event { time: receipt.last_updated, ..event }.encode()]
            }));
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.gate.store.submit(unit, Box::new(move |outcome| drop(sender.send(outcome))));
        let closed = |_| Err(Fault::new(&code::SHUTTING_DOWN, "the store has closed"));
        receiver.await.unwrap_or_else(closed).map(drop)
    }
}
