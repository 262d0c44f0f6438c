//! nginx serving a folder of files, to measure against.

use anyhow::{Context, bail};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// nginx as a child, with as many workers as there are cores.
pub(super) struct Nginx {
    child: Child,
    pub(super) authority: String,
}

impl Nginx {
    pub(super) fn start(folder: &Path) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let authority = format!("127.0.0.1:{port}");
        let (root, settings) = (folder.display(), folder.join("nginx.conf"));
        // Its best case: no log, handles of files kept, connections kept for as long as we ask.
        let text = format!(
            "user root;\nworker_processes auto;\ndaemon off;\npid {root}/nginx.pid;\nerror_log {root}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;\n\
             open_file_cache max=8000 inactive=600s; open_file_cache_valid 600s;\n\
             default_type application/fhir+json; server {{ listen {authority}; root {root}; }} }}\n"
        );
        fs::File::create(&settings)?.write_all(text.as_bytes())?;
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&settings)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("nginx is not installed")?;
        let nginx = Self { child, authority };
        let began = Instant::now();
        while std::net::TcpStream::connect(&nginx.authority).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                bail!("nginx does not answer");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(nginx)
    }

    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.end();
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, which ends its workers too.
    fn end(&self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.end();
    }
}
