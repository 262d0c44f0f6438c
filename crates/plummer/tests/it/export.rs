//! Generate and export: what goes in comes out.

use crate::run::{Place, lines};

#[test]
fn a_generated_clinic_is_valid_and_comes_out_as_it_went_in() {
    let place = Place::new();
    let generate = ["generate", "--patients", "3", "--seed", "5", "--today", "2026-03-02"];
    let mut args = generate.to_vec();
    args.extend(["--out", "clinic"]);
    assert!(place.run(&args).ok);
    let said = place.run(&["import", "clinic"]);
    assert!(said.ok, "{said:?}");
    let said = place.run(&["export", "out"]);
    assert!(said.ok, "{said:?}");
    let given = lines(&place.path("clinic"));
    let mut back = lines(&place.path("out"));
    let manifest = back.iter().position(|(name, _)| name == "manifest.json").unwrap();
    back.remove(manifest);
    let names = |all: &[(String, Vec<String>)]| -> Vec<(String, usize)> {
        all.iter().map(|(name, lines)| (name.clone(), lines.len())).collect()
    };
    assert_eq!(names(&given), names(&back));
    let again = place.run(&generate);
    let total: usize = given.iter().map(|(_, lines)| lines.len()).sum();
    assert_eq!(again.out.lines().count(), total);
    assert_eq!(again.out, place.run(&generate).out, "equal arguments, equal bytes");
}

#[test]
fn types_are_chosen_and_files_compressed() {
    let place = Place::new();
    let text = "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n{\"resourceType\":\"Basic\",\"id\":\"b\",\"code\":{\"text\":\"x\"}}\n";
    place.write("in.ndjson", text);
    assert!(place.run(&["import", "in.ndjson"]).ok);
    assert!(place.run(&["export", "out", "--type", "Basic", "--zstd"]).ok);
    let mut names: Vec<_> = std::fs::read_dir(place.path("out"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["Basic.ndjson.zst", "manifest.json"]);
    let packed = std::fs::read(place.path("out/Basic.ndjson.zst")).unwrap();
    let plain = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    assert!(plain.starts_with("{\"resourceType\":\"Basic\",\"id\":\"b\""));
    assert!(!place.run(&["export", "out"]).ok, "the folder is not empty");
    assert!(!place.run(&["export", "new", "--type", "Wat"]).ok);
}
