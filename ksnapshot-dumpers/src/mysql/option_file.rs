//! Option files, as the stock clients read them: what a URL leaves open.

use std::path::PathBuf;

use secrecy::SecretString;

/// What an option file may say about a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct OptionFile {
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) socket: Option<String>,
}

/// Groups of the stock clients that go by these names.
const GROUPS: [&str; 3] = ["client", "client-mariadb", "mysql"];

impl OptionFile {
    /// Reads those of the machine, then that of the user, which wins. A file that is not there says nothing.
    pub(super) fn read() -> Self {
        let mut found = Self::default();
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".my.cnf"));
        let files = ["/etc/my.cnf", "/etc/mysql/my.cnf"].map(PathBuf::from);
        for file in files.into_iter().chain(home) {
            if let Ok(text) = std::fs::read_to_string(file) {
                found.take(&text);
            }
        }
        found
    }

    /// Takes over what `text` says.
    fn take(&mut self, text: &str) {
        let mut ours = false;
        for line in text.lines().map(str::trim) {
            if let Some(group) = line.strip_prefix('[') {
                ours = GROUPS.contains(&group.split(']').next().unwrap_or_default().trim());
                continue;
            }
            if !ours || line.starts_with(['#', ';', '!']) {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let value = value_of(value.trim());
            // Dashes and underscores are one here.
            match key.trim().replace('_', "-").as_str() {
                "user" => self.user = Some(value),
                "password" => self.password = Some(SecretString::from(value)),
                "host" => self.host = Some(value),
                "port" => self.port = value.parse().ok().or(self.port),
                "socket" => self.socket = Some(value),
                _ => {}
            }
        }
    }
}

/// A value without its quotes, its escapes and the comment after it.
fn value_of(text: &str) -> String {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let mut value = String::new();
    let mut chars = text.chars().skip(usize::from(quote.is_some())).peekable();
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == quote => return value,
            '#' if quote.is_none() && (value.is_empty() || value.ends_with([' ', '\t'])) => break,
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('b') => value.push('\u{8}'),
                Some('s') => value.push(' '),
                Some(c @ ('\\' | '"' | '\'')) => value.push(c),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    value.truncate(value.trim_end().len());
    value
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn groups_of_clients_are_read() {
        let mut file = OptionFile::default();
        file.take(
            "user = nobody\n[client]\nuser=app # the application\npassword = \"a b#c\\\\\"\nport=3307\n\
             [mysqld]\nsocket=/other\n; host=x\n[client-mariadb]\nsocket = /run/s\\sx\n[mysql]\nhost=db\nport=x\n",
        );
        assert_eq!(file.user.as_deref(), Some("app"));
        assert_eq!(
            file.password.as_ref().map(ExposeSecret::expose_secret),
            Some("a b#c\\")
        );
        assert_eq!(file.port, Some(3307));
        assert_eq!(file.socket.as_deref(), Some("/run/s x"));
        assert_eq!(file.host.as_deref(), Some("db"));
        assert!(!format!("{file:?}").contains("a b"));
    }
}
