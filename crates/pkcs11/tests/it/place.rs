//! A `SoftHSM` of a test's own. The library reads where its tokens are from the environment when it is
//! first used, so each test runs again in a process of its own, with that set; the library's state,
//! which is one for a process, is then its own as well.

use base::time::SystemClock;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use keys::{SecretFile, SystemRandom};
use pkcs11::{Config, Token};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// Where a process of its own is told its folder.
const FOLDER: &str = "PLUMMER_SOFTHSM";
pub(crate) const PIN: &str = "123456";

/// The token `clinic`, with keys that the test makes.
pub(crate) struct Place {
    folder: PathBuf,
    module: &'static str,
}

/// Runs a test, named as the test runner knows it, in a process of its own with a token.
pub(crate) fn with_a_token(name: &str, test: fn(&Place)) {
    let Some(module) = testkit::softhsm::module() else { return };
    if let Some(folder) = std::env::var_os(FOLDER) {
        return test(&Place { folder: folder.into(), module });
    }
    let dir = tempfile::tempdir().unwrap();
    let tokens = dir.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let config = dir.path().join("softhsm2.conf");
    let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
    std::fs::write(&config, text).unwrap();
    let run = |command: &mut Command| {
        let out = command.env("SOFTHSM2_CONF", &config).env(FOLDER, dir.path()).output().unwrap();
        let said = [&out.stdout[..], &out.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(out.status.success(), "{said}");
        said
    };
    run(Command::new("softhsm2-util").args([
        "--init-token",
        "--free",
        "--label",
        "clinic",
        "--so-pin",
        "87654321",
        "--pin",
        PIN,
    ]));
    let own = std::env::current_exe().unwrap();
    let said = run(Command::new(own).args(["--exact", name, "--nocapture"]));
    assert!(said.contains("1 passed"), "no test is called {name}: {said}");
}

impl Place {
    /// A file with a secret.
    pub(crate) fn secret(&self, text: &str) -> PathBuf {
        let path = self.folder.join("pin");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            module: PathBuf::from(self.module),
            token: "clinic".to_owned(),
            key: "plummer".to_owned(),
            pin: SecretFile::new(self.secret(PIN)),
        }
    }

    pub(crate) fn with(&self, config: Config) -> Token {
        Token::new(config, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    pub(crate) fn token(&self) -> Token {
        self.with(self.config())
    }

    /// A session of the operator, who makes keys.
    pub(crate) fn operator(&self) -> Session {
        let library = Pkcs11::new(self.module).unwrap();
        // It may be begun already.
        let _ = library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        let slot = library.get_slots_with_initialized_token().unwrap()[0];
        let session = library.open_rw_session(slot).unwrap();
        let _ = session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned())));
        session
    }

    /// Makes a key that is fit, but for what `others` say.
    pub(crate) fn make(&self, label: &str, id: &[u8], others: &[Attribute]) {
        let mut template = vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(id.to_vec()),
        ];
        for usual in [
            Attribute::ValueLen(32.into()),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
        ] {
            let kind = usual.attribute_type();
            let other = others.iter().find(|other| other.attribute_type() == kind);
            template.push(other.cloned().unwrap_or(usual));
        }
        self.operator().generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    }

    /// Unmakes every key.
    pub(crate) fn clear(&self) {
        let session = self.operator();
        for handle in session.find_objects(&[]).unwrap() {
            session.destroy_object(handle).unwrap();
        }
    }

    /// Ends every session there is, as a token that was taken out and put back does.
    pub(crate) fn pull(&self) {
        let library = Pkcs11::new(self.module).unwrap();
        library.finalize().unwrap();
    }
}
