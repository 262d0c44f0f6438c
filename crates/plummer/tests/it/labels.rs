//! `plummer labels`: on a folder at rest, in a running server, and killed in the middle.

use crate::run::Place;
use crate::serve::Serving;
use base::Limits;
use fhir::Document;
use std::process::Stdio;
use std::time::Duration;

fn done(place: &Place, args: &[&str]) -> String {
    let said = place.run(args);
    assert!(said.ok, "{args:?}: {said:?}");
    said.out
}

/// A number of `plummer labels status`.
fn number(text: &str, name: &str) -> u64 {
    let document = Document::parse_text(text.to_owned(), &Limits::default()).unwrap();
    document.root().get(name).unwrap_or_else(|| panic!("{text}")).raw().parse().unwrap()
}

#[test]
fn relabelling_that_is_killed_goes_on_and_ends_with_every_record_labelled_once() {
    let place = Place::new();
    let generate = ["generate", "--patients", "12", "--today", "2026-03-02", "--out", "clinic"];
    assert!(place.run(&generate).ok);
    let expected: usize = std::fs::read_dir(place.path("clinic"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .map(|text| text.lines().filter(|line| line.contains("\"8867-4\"")).count())
        .sum();
    assert!(expected > 5, "{expected}");
    done(&place, &["import", "clinic"]);
    place.write(
        "site.txt",
        "pack site\nrule pulse\nlabel HIV\nbasis a law\nwhy a test\nfrom 2020-01-01\nchecked 2026-01-01\ncode loinc 8867-4\n",
    );
    let packs = ["--label-packs", "site.txt"];
    let status =
        |place: &Place| done(place, &[&["labels", "status", "--json"][..], &packs[..]].concat());
    let all = number(&status(&place), "waiting");
    let (mut waiting, mut in_the_middle) = (all, 0);
    let wal = place.path("data/store/records.sqlite-wal");
    for _ in 0..60 {
        let args = [&["labels", "relabel", "--data", "data"][..], &packs[..]].concat();
        let mut child =
            place.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Each batch makes the log longer; it is killed after some of them.
        let (mut length, mut grown) = (0, 0);
        while grown < 4 && child.try_wait().unwrap().is_none() {
            let now = std::fs::metadata(&wal).map_or(0, |meta| meta.len());
            if now > length {
                (length, grown) = (now, grown + 1);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        // One that has ended by itself cannot be killed.
        let _ = child.kill();
        child.wait().unwrap();
        let now = number(&status(&place), "waiting");
        assert!(now <= waiting, "it never goes back");
        in_the_middle += usize::from(now > 0 && now < all);
        waiting = now;
        if waiting == 0 {
            break;
        }
    }
    assert_eq!(waiting, 0);
    assert!(in_the_middle > 0, "no kill fell into the middle");
    assert_eq!(number(&status(&place), "changed"), expected as u64);
    let ends = done(&place, &["audit", "show", "--kind", "relabelled"]);
    assert_eq!(ends.lines().count(), 1, "{ends}");
    assert!(place.run(&["audit", "verify"]).ok);
}

#[test]
fn programmes_and_vips_are_kept_by_commands_at_rest_and_while_it_serves() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let ann = r#"{"resourceType":"Patient","id":"ann"}"#;
    assert!(server.ask("PUT", "/fhir/Patient/ann", ann).contains("201"));
    assert!(done(&place, &["labels", "tag", "vip", "Patient/ann"]).starts_with("done"));
    assert_eq!(done(&place, &["labels", "tag", "vip", "Patient/ann"]), "it was so already\n");
    done(&place, &["labels", "relabel"]);
    let read = server.ask("GET", "/fhir/Patient/ann", "");
    assert!(read.contains("\"VIP\"") && read.contains("\"versionId\":\"1\""), "{read}");
    let refused = place.run(&["labels", "tag", "vip", "Organization/x"]);
    assert!(!refused.ok && refused.err.contains("server.parameter.invalid"), "{refused:?}");
    drop(server);
    let tags = done(&place, &["labels", "tags"]);
    assert!(tags.contains("vip") && tags.contains("Patient/ann"), "{tags}");
    done(&place, &["labels", "tag", "part2-programme", "Organization/detox"]);
    done(&place, &["labels", "untag", "vip", "Patient/ann"]);
    let tags = done(&place, &["labels", "tags"]);
    assert!(tags.contains("Organization/detox") && !tags.contains("Patient/ann"), "{tags}");
    let status = done(&place, &["labels", "status"]);
    assert!(status.contains("relabelling") && status.contains("42CFRPart2"), "{status}");
    assert!(done(&place, &["labels", "relabel"]).contains("current"));
    let told = done(&place, &["audit", "show", "--kind", "label-rules"]);
    assert_eq!(told.lines().count(), 3, "{told}");
}
