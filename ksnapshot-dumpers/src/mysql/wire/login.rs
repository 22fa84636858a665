//! Getting in: the server's greeting, TLS, and proving who we are.

use mysql_async::{DriverError, Result};
use mysql_common::collations::CollationId;
use mysql_common::constants::CapabilityFlags;
use mysql_common::crypto;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{
    AuthPlugin, AuthSwitchRequest, CommonOkPacket, HandshakePacket, HandshakeResponse, SslRequest,
};
use mysql_common::proto::MySerialize;
use secrecy::{ExposeSecret, SecretString};

use super::packets::Input;
use super::stream::{self, Stream};
use super::{Wire, parsed, tls, unexpected};
use crate::mysql::connect::{LARGEST_PACKET, MySql};

/// What we can do. Not among it: sending files, and several statements at once.
const ABLE: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41
    .union(CapabilityFlags::CLIENT_SECURE_CONNECTION)
    .union(CapabilityFlags::CLIENT_LONG_PASSWORD)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_DEPRECATE_EOF)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH)
    .union(CapabilityFlags::CLIENT_SSL);

impl Wire {
    /// A session without a default database. `secure`: with TLS, if it goes over a network.
    pub(in crate::mysql) async fn connect(to: &MySql, secure: bool) -> Result<Self> {
        let (stream, local): (Box<dyn Stream>, _) = match &to.socket {
            Some(socket) => (Box::new(stream::unix(socket).await?), true),
            None => (Box::new(stream::tcp(&to.host, to.port).await?), false),
        };
        let mut wire = Self {
            stream,
            input: Input::new(),
            output: Vec::new(),
            capabilities: CapabilityFlags::empty(),
            id: 0,
            status: None,
        };
        let mut proof = wire.greeted(to).await?;
        let secure = secure && !local;
        if secure {
            wire = wire.secured(to).await?;
        } else {
            wire.capabilities.remove(CapabilityFlags::CLIENT_SSL);
        }
        proof.private = secure || local;
        wire.log_in(to, proof).await?;
        Ok(wire)
    }

    /// Hears what the server says first.
    async fn greeted<'p>(&mut self, to: &'p MySql) -> Result<Proof<'p>> {
        let greeting: HandshakePacket<'_> = ParseBuf(self.packet().await?).parse(())?;
        let proof = Proof {
            password: to.password.as_ref(),
            // Others don't come first: the server would ask for them.
            plugin: match greeting.auth_plugin() {
                Some(AuthPlugin::CachingSha2Password) => AuthPlugin::CachingSha2Password,
                _ => AuthPlugin::MysqlNativePassword,
            },
            nonce: greeting.nonce(),
            private: false,
            switched: false,
        };
        let (id, capabilities) = (greeting.connection_id(), greeting.capabilities() & ABLE);
        (self.id, self.capabilities) = (id, capabilities);
        Ok(proof)
    }

    /// The same session, secured from here on.
    async fn secured(mut self, to: &MySql) -> Result<Self> {
        if !self.capabilities.contains(CapabilityFlags::CLIENT_SSL) {
            return Err(DriverError::NoClientSslFlagFromServer.into());
        }
        let request = SslRequest::new(
            self.capabilities,
            LARGEST_PACKET,
            CollationId::UTF8MB4_GENERAL_CI as u8,
        );
        let mut payload = Vec::new();
        request.serialize(&mut payload);
        self.send(&payload).await?;
        // What somebody on the way has put in before would pass for the server's.
        if !self.input.is_empty() {
            return Err(unexpected("the beginning of TLS"));
        }
        let stream = tls::secure(self.stream, &to.host, &to.tls).await?;
        Ok(Self {
            stream: Box::new(stream),
            ..self
        })
    }

    async fn log_in(&mut self, to: &MySql, mut proof: Proof<'_>) -> Result<()> {
        let data = proof.data();
        let response = HandshakeResponse::new(
            data.as_deref(),
            // Every server that we know has utf8mb4.
            (5, 7, 0),
            Some(to.user.as_bytes()),
            None::<&[u8]>,
            Some(proof.plugin.clone()),
            self.capabilities,
            None,
            LARGEST_PACKET,
        );
        let mut payload = Vec::new();
        response.serialize(&mut payload);
        self.send(&payload).await?;
        loop {
            let capabilities = self.capabilities;
            let packet = self.packet().await?;
            match (packet, &proof.plugin) {
                ([0, ..], _) => {
                    let ok = parsed::<CommonOkPacket>(packet, capabilities)?;
                    self.status = Some(ok.status_flags());
                    return Ok(());
                }
                ([0xfe, _, ..], _) if !proof.switched => {
                    let request: AuthSwitchRequest<'_> = ParseBuf(packet).parse(())?;
                    proof.switch(&request)?;
                    let data = proof.data().unwrap_or_default();
                    self.send(&data).await?;
                }
                ([0xfe], _) => return Err(DriverError::MysqlOldPasswordDisabled.into()),
                // A hash in the server's memory was enough.
                ([1, 3], AuthPlugin::CachingSha2Password) => {}
                ([1, 4], AuthPlugin::CachingSha2Password) => self.tell(&proof).await?,
                _ => return Err(unexpected("a login's answer")),
            }
        }
    }

    /// Tells the server the password itself: in private, or so that only the server can read it.
    async fn tell(&mut self, proof: &Proof<'_>) -> Result<()> {
        let mut password = proof.password().as_bytes().to_vec();
        password.push(0);
        if proof.private {
            return self.send(&password).await;
        }
        self.send(&[2]).await?;
        let key = match self.packet().await? {
            [1, key @ ..] => key.to_vec(),
            _ => return Err(unexpected("a key")),
        };
        for (byte, mask) in password.iter_mut().zip(proof.nonce.iter().cycle()) {
            *byte ^= mask;
        }
        let sealed = crypto::encrypt(&password, &key);
        self.send(&sealed).await
    }
}

/// What is proved by: with which password, by what means, with what the server made up for the occasion.
struct Proof<'p> {
    password: Option<&'p SecretString>,
    plugin: AuthPlugin<'static>,
    nonce: Vec<u8>,
    /// Nobody listens.
    private: bool,
    /// By other means than those that came first.
    switched: bool,
}

impl Proof<'_> {
    fn password(&self) -> &str {
        self.password
            .map(ExposeSecret::expose_secret)
            .unwrap_or_default()
    }

    /// What proves the password without telling it; none without a password.
    fn data(&self) -> Option<Vec<u8>> {
        let data = self.plugin.gen_data(Some(self.password()), &self.nonce)?;
        Some(data.to_vec())
    }

    /// The server wants to be shown by other means.
    fn switch(&mut self, request: &AuthSwitchRequest<'_>) -> Result<()> {
        let plugin = request.auth_plugin().into_owned();
        match plugin {
            AuthPlugin::CachingSha2Password
            | AuthPlugin::MysqlNativePassword
            | AuthPlugin::Ed25519 => {}
            AuthPlugin::MysqlClearPassword => {
                return Err(DriverError::CleartextPluginDisabled.into());
            }
            AuthPlugin::MysqlOldPassword => {
                return Err(DriverError::MysqlOldPasswordDisabled.into());
            }
            AuthPlugin::MariadbParsec { .. } | AuthPlugin::Other(_) => {
                let name = String::from_utf8_lossy(plugin.as_bytes()).into_owned();
                return Err(DriverError::UnknownAuthPlugin { name }.into());
            }
        }
        self.switched = true;
        self.plugin = plugin;
        self.nonce = request.plugin_data().to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use mysql_async::Error;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::Access;

    const KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDWXfI0cTo2IUstyfXK/0A2yqmO\n\
ZUfLYQ+cmYdvqL/2oEaTdLIDnQ6R1kju/uQMRP5nzEC92AtZCiKFka6aQisnKUgH\n\
dh97VQ1/J9wu8y403TOiivBdKixkOrA7D1zPwLOQg99hY4NoLaHVAD45oq2ZIJSi\n\
MSPx9WINNavNO5Y0zwIDAQAB\n\
-----END PUBLIC KEY-----\n";

    const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];

    /// The proof was enough.
    const FAST: &[u8] = &[1, 3];

    /// What comes of a login to a server that answers so, and what it is sent: the password, the first proof, and the others.
    fn login(
        plugin: AuthPlugin<'static>,
        private: bool,
        answers: &[&[u8]],
    ) -> (Result<()>, Vec<Vec<u8>>) {
        let to = MySql::parse("mysql://u:secret@h", &Access::default()).expect("a URL");
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        let mut wire = Wire {
            stream: Box::new(ours),
            input: Input::new(),
            output: Vec::new(),
            capabilities: ABLE,
            id: 1,
            status: None,
        };
        let mut count = 1;
        for answer in answers {
            let [low, high, ..] = answer.len().to_le_bytes();
            let packet = [&[low, high, 0, count], *answer].concat();
            let written = theirs.write_all(&packet).now_or_never();
            written.expect("room").expect("a stream");
            // Both sides take turns, but for this one.
            count += if *answer == FAST { 1 } else { 2 };
        }
        let proof = Proof {
            password: to.password.as_ref(),
            plugin,
            nonce: vec![7; 20],
            private,
            switched: false,
        };
        let done = wire.log_in(&to, proof).now_or_never().expect("answers");
        drop(wire);
        let (mut bytes, mut sent) = (Vec::new(), Vec::new());
        let read = theirs.read_to_end(&mut bytes).now_or_never();
        read.expect("an end").expect("a stream");
        let mut rest = &bytes[..];
        while let [low, high, 0, _, packets @ ..] = rest {
            let (packet, after) = packets.split_at(u16::from_le_bytes([*low, *high]).into());
            sent.push(packet.to_vec());
            rest = after;
        }
        (done, sent)
    }

    fn switch(plugin: &str) -> Vec<u8> {
        [&[0xfe], plugin.as_bytes(), &[0], &[9; 32], &[0]].concat()
    }

    #[test]
    fn servers_ask_for_what_they_like() {
        use AuthPlugin::{CachingSha2Password as Sha2, Ed25519, MysqlNativePassword as Native};
        let proof = |plugin: AuthPlugin<'_>| {
            let data = plugin.gen_data(Some("secret"), &[9; 32]);
            data.expect("a proof").to_vec()
        };
        for (plugin, answers) in [(Native, &[OK][..]), (Sha2, &[FAST, OK])] {
            let (done, sent) = login(plugin, false, answers);
            assert!(done.is_ok() && sent.len() == 1, "{done:?}");
        }
        for (name, plugin) in [
            ("client_ed25519", Ed25519),
            ("mysql_native_password", Native),
        ] {
            let (done, sent) = login(Sha2, false, &[&switch(name), OK]);
            assert!(done.is_ok(), "{name} {done:?}");
            assert_eq!(sent[1..], [proof(plugin)], "{name}");
        }
        let (done, sent) = login(
            Native,
            true,
            &[&switch("caching_sha2_password"), &[1, 4], OK],
        );
        assert!(done.is_ok(), "{done:?}");
        assert_eq!(sent[1..], [proof(Sha2), b"secret\0".to_vec()]);
    }

    #[test]
    fn a_password_is_told_only_in_private() {
        let key = [&[1], KEY.as_bytes()].concat();
        let (done, sent) = login(AuthPlugin::CachingSha2Password, false, &[&[1, 4], &key, OK]);
        assert!(done.is_ok(), "{done:?}");
        assert_eq!((&sent[1][..], sent[2].len()), (&[2][..], 128));
        for private in [false, true] {
            let clear = switch("mysql_clear_password");
            let (done, sent) = login(AuthPlugin::CachingSha2Password, private, &[&clear, OK]);
            assert!(matches!(
                done,
                Err(Error::Driver(DriverError::CleartextPluginDisabled))
            ));
            assert_eq!(sent.len(), 1);
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let (done, _) = login(AuthPlugin::MysqlNativePassword, true, &[&switch("dialog")]);
        let named = matches!(done, Err(Error::Driver(DriverError::UnknownAuthPlugin { ref name })) if name == "dialog");
        assert!(named, "{done:?}");
        for answers in [
            &[&[0xfe][..]][..],
            &[&[]],
            &[&[0xff, 21]],
            &[&[1, 4], &[0xff, 21, 4]],
            &[FAST, FAST, &[3]],
            &[&switch("client_ed25519"), &switch("client_ed25519")],
        ] {
            assert!(
                login(AuthPlugin::CachingSha2Password, true, answers)
                    .0
                    .is_err()
            );
        }
    }
}
