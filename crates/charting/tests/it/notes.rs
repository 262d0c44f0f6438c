//! Notes: drafts that nobody else sees and no crash loses, signatures that hold, and what is added later.

use crate::support::{Room, code, run};
use audit::Kind;
use charting::lines::{Change, diff};
use charting::notes::{
    self, COPIED, END, NoteForm, Seal, Tie, copy_forward, enter_in_error, expand,
};
use charting::vitals::{VitalsForm, keep};
use charting::{About, Seen, Summary};
use proptest::prelude::*;
use record::{Audited, DRAFT_BYTES_MAX, DRAFTS_MAX};

fn note(form: &str, text: &str) -> NoteForm {
    NoteForm { form: form.into(), title: "Visit".into(), text: text.into(), ..NoteForm::default() }
}

#[test]
fn a_draft_is_its_authors_alone_and_survives_the_end_of_the_program() {
    let room = Room::with_ada();
    let (dora, two) =
        (room.person("dora", "clinician", "doc"), room.person("joan", "clinician", "two"));
    let (mine, other) = (room.as_of(&dora), room.as_of(&two));
    assert_eq!(run(mine.keep_draft("ada", "d1", None, "Coughs since")).unwrap(), 1);
    assert_eq!(run(mine.keep_draft("ada", "d1", Some(1), "Coughs since May")).unwrap(), 2);
    let stale = run(mine.keep_draft("ada", "d1", Some(1), "from another window"));
    assert_eq!(code(stale), "record.draft.changed");
    assert_eq!(code(run(mine.keep_draft("ada", "d1", None, "anew"))), "record.draft.changed");
    assert_eq!(other.draft("ada", "d1").and_then(Audited::wait).unwrap(), None);
    assert!(other.drafts().and_then(Audited::wait).unwrap().is_empty());
    assert_eq!(code(run(other.drop_draft("ada", "d1", 2))), "record.draft.changed");
    assert_eq!(code(room.operator().drafts()), "access.denied");
    drop((mine, other));
    let room = room.reopened();
    let mine = room.as_of(&dora);
    let kept = mine.draft("ada", "d1").and_then(Audited::wait).unwrap().unwrap();
    assert_eq!((kept.version, kept.text.as_str()), (2, "Coughs since May"));
    assert_eq!(mine.drafts().and_then(Audited::wait).unwrap(), [kept]);
    run(mine.drop_draft("ada", "d1", 2)).unwrap();
    assert_eq!(mine.draft("ada", "d1").and_then(Audited::wait).unwrap(), None);
    drop(mine);
    let events = room.events();
    let count = |kind| events.iter().filter(|one| one.kind == kind && one.status == 200).count();
    assert_eq!((count(Kind::DraftKept), count(Kind::DraftDropped)), (1, 1));
    let kept = events.iter().find(|one| one.kind == Kind::DraftKept).unwrap();
    assert_eq!(kept.patients, ["ada"]);
}

#[test]
fn drafts_have_bounds_and_are_about_patients_whom_their_author_sees() {
    let room = Room::with_ada();
    let doctor = room.doctor();
    let long = "x".repeat(DRAFT_BYTES_MAX + 1);
    assert_eq!(code(run(doctor.keep_draft("ada", "d", None, &long))), "record.draft.too-large");
    assert!(run(doctor.keep_draft("ada", "d", None, &long[1..])).is_ok());
    assert_eq!(code(run(doctor.keep_draft("ada", "a/b", None, ""))), "server.parameter.invalid");
    assert_eq!(code(run(doctor.keep_draft("none", "d", None, ""))), "record.read.not-found");
    for n in 1..DRAFTS_MAX {
        run(doctor.keep_draft("ben", &format!("d{n}"), None, "x")).unwrap();
    }
    assert_eq!(code(run(doctor.keep_draft("ada", "one-more", None, "x"))), "record.draft.too-many");
    assert!(run(doctor.keep_draft("ada", "d", Some(1), "shorter")).is_ok());
}

#[test]
fn a_signed_note_says_who_signed_what_and_whether_it_still_is_that() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let signed = run(notes::sign(&doctor, &ada, &note("n1", "Lungs clear.\nNo fever."))).unwrap();
    let id = signed.place.id.clone();
    let read = || run(notes::read(&doctor, &ada, &id)).unwrap();
    let shown = read().note;
    assert_eq!((shown.text.as_str(), shown.seal), ("Lungs clear.\nNo fever.", Seal::Intact));
    assert_eq!(
        (shown.author.reference.as_str(), shown.author.display.as_str()),
        ("Practitioner/doc", "Dr dora")
    );
    let again = run(notes::sign(&doctor, &ada, &note("n1", "Lungs clear.\nNo fever."))).unwrap();
    assert!(!again.new && again.place == signed.place);
    let words = run(notes::sign(&doctor, &ada, &note("n1", "Other words")));
    assert_eq!(code(words), "charting.record.state");
    let body = room.body("DocumentReference", &id);
    for (was, is) in [
        (r#""data":"T"#, r#""data":"V"#),
        ("Practitioner/doc\",\"display", "Practitioner/two\",\"display"),
        ("\"title\":\"Visit\"", "\"title\":\"Other\""),
        ("11506-3", "11488-4"),
        ("Patient/ada", "Patient/ben"),
    ] {
        assert!(body.contains(was), "{was}");
        room.put(&body.replacen(was, is, 1));
        let about = if is.contains("ben") { About::patient("ben") } else { ada.clone() };
        let seal = run(notes::read(&doctor, &about, &id)).unwrap().note.seal;
        assert_eq!(seal, Seal::Altered, "{is}");
    }
    room.put(&body);
    assert_eq!(read().note.seal, Seal::Intact);
}

#[test]
fn what_comes_after_a_signature_is_a_document_of_its_own() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let joan = room.as_of(&room.person("joan", "clinician", "two"));
    let signed = run(notes::sign(&doctor, &ada, &note("n1", "Lungs clear."))).unwrap();
    let id = signed.place.id.as_str();
    run(notes::addend(&doctor, &ada, id, &note("n2", "X-ray normal."))).unwrap();
    assert_eq!(
        code(run(notes::co_sign(&doctor, &ada, id, "n3"))),
        "charting.note.signer",
        "not by its author"
    );
    run(notes::co_sign(&joan, &ada, id, "n3")).unwrap();
    let thread = run(notes::read(&doctor, &ada, id)).unwrap();
    assert_eq!(thread.note.version, 1, "the note itself is as it was");
    let later: Vec<_> = thread
        .later
        .iter()
        .map(|one| (one.of.as_ref().unwrap().0, one.seal, one.author.display.as_str()))
        .collect();
    assert_eq!(
        later,
        [(Tie::Appends, Seal::Intact, "Dr dora"), (Tie::Signs, Seal::Intact, "Dr joan")]
    );
    let seen = Seen { id: id.to_owned(), version: 1 };
    run(enter_in_error(&doctor, &ada, &seen, "Another visit's")).unwrap();
    let thread = run(notes::read(&doctor, &ada, id)).unwrap();
    assert_eq!(thread.note.in_error.as_deref(), Some("Another visit's"));
    assert_eq!((thread.note.text.as_str(), thread.note.seal), ("Lungs clear.", Seal::Intact));
    assert_eq!(
        code(run(notes::addend(&doctor, &ada, id, &note("n4", "x")))),
        "charting.record.state"
    );
    assert_eq!(
        code(run(enter_in_error(&doctor, &ada, &seen, "x"))),
        "record.write.version-conflict"
    );
}

#[test]
fn a_note_of_another_chart_is_neither_read_nor_added_to_nor_signed() {
    let room = Room::with_ada();
    let (doctor, ada, ben) = (room.doctor(), About::patient("ada"), About::patient("ben"));
    let joan = room.as_of(&room.person("joan", "clinician", "two"));
    let id = run(notes::sign(&doctor, &ada, &note("n1", "Lungs clear."))).unwrap().place.id;
    let other = "charting.patient.other";
    assert_eq!(code(run(notes::read(&doctor, &ben, &id))), other);
    assert_eq!(code(run(notes::addend(&doctor, &ben, &id, &note("n2", "x")))), other);
    assert_eq!(code(run(notes::co_sign(&joan, &ben, &id, "n3"))), other);
    let seen = Seen { id, version: 1 };
    assert_eq!(code(run(enter_in_error(&doctor, &ben, &seen, "x"))), other);
    assert_eq!(
        code(run(notes::sign(&room.operator(), &ada, &note("n5", "x")))),
        "charting.note.signer"
    );
    assert_eq!(room.count("DocumentReference", &[]), 1);
}

#[test]
fn a_template_copies_from_the_chart_and_says_so() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let form = VitalsForm { form: "v".into(), line: "bp 128/82 wt 180lb".into(), at: None };
    run(keep(&doctor, &ada, &form)).unwrap();
    let shown = Summary::of(&room.operator(), "ada").and_then(Audited::wait).unwrap();
    let date = |at: &str| format!("on {}", at.get(..4).unwrap_or_default());
    let lines = "Subjective:\n/vitals\n/allergies\n/nothing\nsaid /meds in a line";
    let text = expand(lines, &shown, "20-Nov-2030 10:10", date);
    assert!(
        text.starts_with("Subjective:\n[copied from the chart at 20-Nov-2030 10:10]\n"),
        "{text}"
    );
    assert!(text.contains("Blood pressure: 128/82 mmHg (on 20"), "dates in the caller's words");
    assert!(text.contains("Weight: 180 lb (81.6 kg) (on 20"));
    assert!(text.contains("Allergies not recorded"));
    assert!(text.ends_with("/nothing\nsaid /meds in a line\n"), "what is no placeholder stays");
    assert_eq!(text.matches(COPIED).count(), 2);
    assert_eq!(text.matches(END).count(), 2);
    let mine = Summary::of(&doctor, "ada").and_then(Audited::wait).unwrap();
    let problems = expand("/problems", &mine, "now", date);
    assert!(problems.contains("some may be withheld from the author"));
    let forward = copy_forward("Lungs clear.", "01-Jan-1970");
    assert_eq!(forward, format!("{COPIED} the note of 01-Jan-1970]\nLungs clear.\n{END}\n"));
}

proptest! {
    #[test]
    fn the_lines_of_a_difference_are_both_texts(
        old in proptest::collection::vec("[ab]{0,2}", 0..12),
        new in proptest::collection::vec("[ab]{0,2}", 0..12),
    ) {
        let (old, new) = (old.join("\n"), new.join("\n"));
        let found = diff(&old, &new);
        let but = |gone: Change| -> Vec<&str> {
            found.iter().filter(|(change, _)| *change != gone).map(|(_, line)| *line).collect()
        };
        prop_assert_eq!(but(Change::Added), old.lines().collect::<Vec<_>>());
        prop_assert_eq!(but(Change::Removed), new.lines().collect::<Vec<_>>());
        prop_assert!(diff(&old, &old).iter().all(|(change, _)| *change == Change::Same));
    }
}

#[test]
fn long_texts_are_compared_within_bounds() {
    let text = |from: usize| (from..from + 3_000).map(|n| format!("{n}\n")).collect::<String>();
    assert_eq!(diff(&text(0), &text(9_000)).len(), 6_000);
    assert_eq!(diff(&text(0), &text(1)).len(), 6_000, "too long in the middle: told whole");
}
