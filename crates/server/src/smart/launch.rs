//! Starting an app from here, for a patient and perhaps an encounter (EHR launch). Until there is a
//! desk to start them from, it is a page of its own.

use super::call::{Call, form_target};
use super::sign_in::{field, need};
use super::{pages, people};
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use console::{Lang, sign_in_words as words};
use identity::PrincipalId;
use smart::Shown;

/// The page: the apps that can be started.
pub(super) fn page(call: &Call) -> Result<Reply, Fault> {
    if let Err(page) = need(call, "launch") {
        return Ok(*page);
    }
    let apps = call.smart.apps();
    let apps: Vec<_> = apps.iter().filter(|app| app.registration.launch_url.is_some()).collect();
    let targets: Vec<_> = apps
        .iter()
        .filter_map(|app| app.registration.launch_url.as_deref())
        .map(form_target)
        .collect();
    Ok(pages::launch(&call.form_text(), &apps, &targets.join(" "), call.lang()))
}

/// Starts one.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let caller = match need(call, "launch") {
        Ok(caller) => caller,
        Err(page) => return Ok(*page),
    };
    let some = |name: &str| Some(field(&params, name).to_owned()).filter(|text| !text.is_empty());
    let (patient, encounter) = (some("patient"), some("encounter"));
    let session = people::session(call, &caller)?;
    if let Some(patient) = &patient {
        people::see(&session, patient, call.lang())?;
    }
    if let Some(encounter) = &encounter {
        people::see_encounter(&session, encounter, patient.as_deref().unwrap_or_default())?;
    }
    let shown =
        Shown { patient, encounter, intent: some("intent"), need_patient_banner: Some(true) };
    let app = PrincipalId::parse(field(&params, "app")).ok_or_else(|| {
        Fault::at(&code::PARAMETER_INVALID, words::TOLD_SHOWN_APP.of(Lang::En), "app")
    })?;
    let launched = call.smart.launch(&caller, app, shown, &call.place)?;
    Ok(call.go(launched.address.expose()))
}
