//! A root key held elsewhere as a clinic meets it: it goes to a service and back by commands, a start
//! needs it, a server that runs does not, and what stands in its way has a name.

use crate::fake::Fake;
use crate::run::{Place, Said};
use crate::serve::Serving;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

/// A place with a transit service on its machine, and how it is named.
struct Hospital {
    place: Place,
    fake: Fake,
    flags: Vec<String>,
}

impl Hospital {
    fn new() -> Self {
        Self::speaking(None)
    }

    /// One whose service speaks TLS, or an agent's plain HTTP.
    fn speaking(tls: Option<Arc<ServerConfig>>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (place, fake) = (Place::new(), Fake::start(tls));
        let token = place.write("token", "good\n");
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
        let address = format!("{scheme}://{}", fake.address);
        let token = token.to_str().unwrap();
        let flags = ["--transit-address", &address, "--transit-token-file", token];
        let flags = flags.map(str::to_owned).to_vec();
        Self { place, fake, flags }
    }

    /// The flags, with this one as the holder.
    fn held_by<'a>(&'a self, holder: &'a str) -> Vec<&'a str> {
        let flags = self.flags.iter().map(String::as_str);
        ["--root-key-holder", holder].into_iter().chain(flags).collect()
    }

    fn run(&self, words: &[&str], holder: &str) -> Said {
        self.place.run(&[words, &self.held_by(holder)].concat())
    }

    fn begun(holder: &str) -> Self {
        let hospital = Self::new();
        hospital.place.write("in.json", "{\"resourceType\":\"Patient\",\"id\":\"ada\"}");
        let said = hospital.run(&["import", "in.json"], holder);
        assert!(said.ok, "{said:?}");
        hospital
    }

    fn opens(&self, holder: &str) -> Said {
        let folder = format!("out-{}", self.place.dir.path().read_dir().unwrap().count());
        self.run(&["export", &folder], holder)
    }
}

#[test]
fn a_root_key_goes_to_a_service_is_rotated_there_and_comes_back() {
    let hospital = Hospital::begun("file");
    let root = hospital.place.path("data").join("keys/root.key");
    let moved = hospital.run(&["keys", "move", "--to", "transit"], "file");
    assert!(moved.ok && moved.out.contains("root_key_holder = \"transit\""), "{moved:?}");
    let again = hospital.run(&["keys", "move", "--to", "transit"], "file");
    assert!(again.ok && again.out.contains("already"), "{again:?}");
    let by_file = hospital.opens("file");
    assert!(!by_file.ok && by_file.err.contains("keys.root.other"), "{by_file:?}");
    let shown = hospital.run(&["keys", "show"], "file");
    assert!(shown.out.contains("set root_key_holder = \"transit\""), "{shown:?}");
    std::fs::remove_file(&root).unwrap();
    assert!(hospital.opens("transit").ok);

    hospital.fake.world().versions.push(2);
    let rewrapped = hospital.run(&["keys", "rewrap"], "transit");
    assert!(rewrapped.ok && rewrapped.out.contains("version 2"), "{rewrapped:?}");
    hospital.fake.world().least = 2;
    assert!(hospital.opens("transit").ok, "the older version is needed no more");
    let shown = hospital.run(&["keys", "show"], "transit");
    for line in
        ["held by transit: transit/keys/plummer at http", "yes; newest version 2", "version 2 of"]
    {
        assert!(shown.out.contains(line), "{line}: {shown:?}");
    }
    for file in ["root.key", "tenant.keys"] {
        assert_eq!(
            hospital.place.path("data").join("keys").join(file).exists(),
            file != "root.key"
        );
    }

    let back = hospital.run(&["keys", "move", "--to", "file"], "transit");
    assert!(back.ok && root.exists(), "{back:?}");
    hospital.fake.world().versions.clear();
    assert!(hospital.opens("file").ok);
    let by_service = hospital.opens("transit");
    assert!(by_service.err.contains("keys.root.other"), "{by_service:?}");
    for (kind, count) in [("root-key-moved", 2), ("root-key-rewrapped", 1)] {
        let logged = hospital.run(&["audit", "show", "--kind", kind], "file");
        assert_eq!(logged.out.lines().count(), count, "{kind}: {logged:?}");
    }
    assert!(hospital.run(&["audit", "verify"], "file").ok);
}

#[test]
fn a_move_that_the_service_does_not_permit_leaves_everything_and_says_so_in_the_log() {
    let hospital = Hospital::begun("file");
    hospital.fake.world().may = (true, false);
    let was = std::fs::read(hospital.place.path("data").join("keys/tenant.keys")).unwrap();
    let moved = hospital.run(&["keys", "move", "--to", "transit"], "file");
    assert!(!moved.ok && moved.err.contains("keys.kms.denied"), "{moved:?}");
    assert_eq!(std::fs::read(hospital.place.path("data").join("keys/tenant.keys")).unwrap(), was);
    assert!(hospital.opens("file").ok);
    let logged = hospital.run(&["audit", "show", "--kind", "root-key-moved"], "file").out;
    assert_eq!(logged.lines().count(), 2, "{logged}");
    assert!(logged.lines().last().unwrap().contains("500"), "{logged}");
}

#[test]
fn a_folder_that_begins_under_a_service_has_no_root_key_of_its_own() {
    let hospital = Hospital::begun("transit");
    assert!(!hospital.place.path("data").join("keys/root.key").exists());
    assert!(hospital.opens("transit").ok);
    let verified = hospital.run(&["audit", "verify"], "transit");
    assert!(verified.ok && verified.out.contains("sound"), "{verified:?}");
    for words in [&["keys", "init"][..], &["keys", "passphrase"]] {
        let said = hospital.run(words, "transit");
        assert!(!said.ok && said.err.contains("held by transit"), "{said:?}");
    }
    let rotated = hospital.run(&["keys", "rotate"], "transit");
    assert!(rotated.ok && rotated.out.contains("number 2"), "{rotated:?}");
    assert!(hospital.opens("transit").ok);
}

#[test]
fn a_start_needs_the_service_and_a_server_that_runs_goes_on_without_it() {
    let hospital = Hospital::begun("transit");
    let server = Serving::start(&hospital.place, &hospital.held_by("transit"));
    let health = server.ask("GET", "/health/ready", "");
    assert!(
        health.contains("\"root_key\":{\"holder\":\"transit\",\"status\":\"answering\""),
        "{health}"
    );
    assert!(health.contains("\"at_rest\":\"sealed\""), "{health}");
    let doctor = || hospital.run(&["doctor", "--json"], "transit").out;
    let weight = |report: &str, weight: &str| {
        report.contains(&format!("\"code\":\"rest.key-holder\",\"weight\":\"{weight}\""))
    };
    assert!(weight(&doctor(), "fine"), "{}", doctor());
    hospital.fake.world().versions.push(2);
    assert!(weight(&doctor(), "note"), "{}", doctor());

    hospital.fake.world().sealed = true;
    assert!(weight(&doctor(), "fault") && doctor().contains("keys.kms.sealed"), "{}", doctor());
    assert!(server.ask("GET", "/fhir/Patient/ada", "").contains("200 OK"));
    let body = "{\"resourceType\":\"Patient\",\"id\":\"ben\"}";
    assert!(server.ask("PUT", "/fhir/Patient/ben", body).contains("201 Created"), "a new key too");
    let metrics = server.ask("GET", "/metrics", "");
    assert!(metrics.contains("plummer_root_key_answering 1"), "{metrics}");
    assert!(server.stop());

    let mut world = hospital.fake.world();
    (world.sealed, world.tokens) = (false, Vec::new());
    drop(world);
    let denied = hospital.opens("transit");
    assert!(!denied.ok && denied.err.contains("keys.kms.denied"), "{denied:?}");
    hospital.fake.world().tokens.push("good".to_owned());
    assert!(hospital.opens("transit").ok);
}

/// What a service at 127.0.0.1 shows, and the authority that signed it, in PEM.
fn certified() -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    (Arc::new(config), authority.pem())
}

#[test]
fn a_service_is_believed_by_the_authority_that_the_site_names_and_by_no_other() {
    let (config, authority) = certified();
    let hospital = Hospital::speaking(Some(config));
    hospital.place.write("in.json", "{\"resourceType\":\"Patient\",\"id\":\"ada\"}");
    let ours = hospital.place.write("ours.pem", &authority);
    let others = hospital.place.write("others.pem", &certified().1);
    for (ca, believed) in [(None, false), (Some(&others), false), (Some(&ours), true)] {
        let mut words = vec!["import", "in.json"];
        words.extend(ca.map(|path| ["--transit-ca", path.to_str().unwrap()]).into_iter().flatten());
        let said = hospital.run(&words, "transit");
        assert_eq!(said.ok, believed, "{said:?}");
        assert!(believed || said.err.contains("keys.kms.unreachable"), "{said:?}");
        assert_eq!(hospital.fake.world().asked.is_empty(), !believed, "no token is shown");
    }
}

#[test]
fn settings_of_a_service_that_make_no_sense_are_refused_and_no_secret_is_shown() {
    let hospital = Hospital::new();
    let checked = hospital.run(&["config", "check"], "transit");
    assert!(checked.ok, "{checked:?}");
    let token = hospital.place.path("token").to_str().unwrap().to_owned();
    for (flags, word) in [
        (&["--transit-address", "http://bao.hospital.example"][..], "by https"),
        (&["--transit-address", ""], "transit_address"),
        (&["--transit-role-id", "r"], "one of the two"),
        (&["--transit-token-file", "", "--transit-secret-id-file", &token], "one of the two"),
        (&["--transit-key", "../sys"], "transit_key"),
        (&["--transit-token-file", "credential:token"], "CREDENTIALS_DIRECTORY"),
        (&["--transit-token-file", "credential:a/b"], "no slash"),
        (&["--transit-ca", "/nowhere"], "transit_ca"),
    ] {
        // The later flag of a name would be refused, so those replaced are left out.
        let replaced: Vec<_> = flags.iter().step_by(2).collect();
        let usual = hospital.held_by("transit");
        let kept = usual.chunks(2).filter(|pair| !replaced.contains(&&pair[0])).flatten().copied();
        let words: Vec<_> =
            ["config", "check"].into_iter().chain(kept).chain(flags.iter().copied()).collect();
        let said = hospital.place.run(&words);
        assert!(!said.ok && said.err.contains(word), "{word}: {said:?}");
    }
    let shown = hospital.run(&["config", "show"], "transit");
    assert!(shown.out.contains("transit_token_file") && !shown.out.contains("good"), "{shown:?}");
}

#[test]
fn a_credential_of_the_service_manager_is_found_by_its_name() {
    let hospital = Hospital::new();
    hospital.place.write("credentials/bao-token", "good");
    hospital.place.write("in.json", "{\"resourceType\":\"Patient\",\"id\":\"ada\"}");
    let address = format!("http://{}", hospital.fake.address);
    let args = [
        "import",
        "in.json",
        "--data",
        "data",
        "--root-key-holder",
        "transit",
        "--transit-address",
        &address,
        "--transit-token-file",
        "credential:bao-token",
    ];
    let out = hospital
        .place
        .command(&args)
        .env("CREDENTIALS_DIRECTORY", hospital.place.path("credentials"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(hospital.opens("transit").ok);
}
