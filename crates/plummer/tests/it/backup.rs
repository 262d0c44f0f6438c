//! Backup and restore, with a server and without.

use crate::run::Place;
use crate::serve::Serving;

#[test]
fn a_backup_of_a_running_server_is_a_whole_data_folder() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    for id in ["a", "b"] {
        let body = format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}");
        server.ask("PUT", &format!("/fhir/Patient/{id}"), &body);
    }
    let said = place.run(&["backup", "copy"]);
    assert!(said.ok, "{said:?}");
    server.ask("DELETE", "/fhir/Patient/b", "");
    assert!(!place.run(&["backup", "copy"]).ok, "the folder is not empty");
    assert!(server.stop());

    let args = ["restore", "copy", "--data", "back"];
    // A backup is sealed under keys that it does not hold.
    let output = place.command(&args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("store.key.missing"), "{told}");
    place.copy_keys("back");
    let output = place.command(&args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("restored 2 resources"), "{told}");
    let args = ["audit", "show", "--data", "back", "--kind", "restore"];
    let shown = String::from_utf8(place.command(&args).output().unwrap().stdout).unwrap();
    assert_eq!(shown.matches("\"results\":2").count(), 1, "the copy knows that it is one: {shown}");
    let verified = place.command(&["audit", "verify", "--data", "back"]).output().unwrap();
    assert!(verified.status.success());
    // One that was broken off is nothing to work with, and says how it is begun again.
    place.write("back/restoring", "");
    let said = place.command(&["serve", "--data", "back"]).output().unwrap();
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(!said.status.success() && told.contains("a restore was broken off"), "{told}");
    std::fs::remove_file(place.path("back/restoring")).unwrap();
    let server = Serving::start(&place, &["--data", "back"]);
    assert!(server.ask("GET", "/fhir/Patient/b", "").starts_with("HTTP/1.1 200"));
    let body = "{\"resourceType\":\"Patient\",\"id\":\"c\"}";
    assert!(server.ask("PUT", "/fhir/Patient/c", body).starts_with("HTTP/1.1 201"));
    assert!(server.stop());
    let args = ["audit", "show", "--data", "back", "--kind", "update"];
    let shown = place.command(&args).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("Patient") && shown.contains("\"c\""),
        "writes go on being logged: {shown}"
    );
}

#[test]
fn without_a_server_the_command_copies_by_itself() {
    let place = Place::new();
    place.write("in.json", "{\"resourceType\":\"Patient\",\"id\":\"a\"}");
    assert!(place.run(&["import", "in.json"]).ok);
    let said = place.run(&["backup", "copy", "--keys-to", "back/keys"]);
    assert!(said.ok && !place.path("back/keys/root.key").exists(), "{said:?}");
    let root = place.path("data/keys/root.key").to_str().unwrap().to_owned();
    let args = ["restore", "copy", "--data", "back", "--root-key", &root];
    let output = place.command(&args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!place.run(&["restore", "copy"]).ok, "the data folder holds records");
    assert!(!place.run(&["restore", "in.json"]).ok, "no backup");
}
