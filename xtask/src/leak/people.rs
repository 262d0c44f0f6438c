//! Who asks: tokens that were given, clients that fetch theirs, or users made on our own server.

use anyhow::Context;
use leak::token::Client;
use leak::world::World;
use leak::{Options, People, Tokens};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Tokens from the command line, and clients from a file.
pub(super) struct Given {
    pub(super) tokens: BTreeMap<String, String>,
    pub(super) clients: BTreeMap<String, Client>,
}

impl Given {
    fn token(&self, name: &str) -> anyhow::Result<Option<String>> {
        match (self.tokens.get(name), self.clients.get(name)) {
            (Some(token), _) => Ok(Some(token.clone())),
            (None, Some(client)) => Ok(Some(client.token(UNIX_EPOCH.elapsed()?.as_secs())?)),
            (None, None) => Ok(None),
        }
    }
}

impl People for Given {
    fn tokens(&mut self, world: &World, _second: bool) -> anyhow::Result<Tokens> {
        let admin = self.token("admin")?;
        let persona = self.token(world.persona.key)?;
        let persona = match (&admin, persona) {
            (Some(_), None) => Some(None::<String>.with_context(|| {
                format!("no token for {}: give --token or --clients", world.persona.key)
            })?),
            (_, persona) => persona,
        };
        Ok(Tokens { admin, persona })
    }
}

/// Users of our own server.
pub(super) struct OwnPeople;

impl OwnPeople {
    pub(super) fn prepare(_binary: &Path, _data: &Path, _options: &Options) -> anyhow::Result<Self> {
        Ok(Self)
    }
}

impl People for OwnPeople {
    fn tokens(&mut self, _world: &World, _second: bool) -> anyhow::Result<Tokens> {
        Ok(Tokens::default())
    }
}
