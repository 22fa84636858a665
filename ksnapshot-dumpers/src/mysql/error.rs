//! What the server's and the driver's errors mean to us.

use ksnapshot_core::{Error, ErrorKind};

use super::connect::MySql;

/// The number of an error that the server sent.
pub(super) fn number(cause: &mysql_async::Error) -> Option<u16> {
    match cause {
        mysql_async::Error::Server(server) => Some(server.code),
        _ => None,
    }
}

/// An error in the middle of a session.
pub(super) fn classify(cause: mysql_async::Error) -> Error {
    let mysql_async::Error::Server(server) = &cause else {
        return match cause {
            mysql_async::Error::Io(_) | mysql_async::Error::Driver(_) => lost().source(cause),
            _ => Error::new(ErrorKind::Failed, "the server's answer can't be read").source(cause),
        };
    };
    let message = format!("{} (error {})", server.message, server.code);
    match server.code {
        // Shutdown, killed, aborted; the last two by idle time and by administrators.
        1053 | 1077 | 1079 | 1317 | 1152 | 1158..=1161 | 1927 | 4031 => lost().source(message),
        1021 | 1114 => Error::new(ErrorKind::Failed, message)
            .hint("The server's disk or table space is full: make room and try again."),
        1044 | 1142 | 1143 | 1227 | 1345 | 1356 | 1370 => Error::new(ErrorKind::Refused, message)
            .hint("Grant the missing right to this user, or use one that has it."),
        // A binary log, and a user who may not do everything.
        1418 | 1419 => Error::new(ErrorKind::Refused, message)
            .hint("Set log_bin_trust_function_creators = 1 on the target, or restore as a user with SUPER."),
        1153 => Error::new(ErrorKind::Refused, message)
            .hint("Raise max_allowed_packet on the server above the size of the largest row."),
        1205 | 1213 => Error::new(ErrorKind::Conflict, message),
        1007 | 1050 | 1061 | 1304 | 1359 | 1396 | 1537 => {
            Error::new(ErrorKind::AlreadyExists, message)
        }
        _ => Error::new(ErrorKind::Refused, message),
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Server, "connection to the server lost")
        .hint("Look into the server's log: it was stopped, it crashed, or the network was cut.")
}

/// An error while logging in.
pub(super) fn connecting(cause: mysql_async::Error, to: &MySql) -> Error {
    let error =
        |message: String| Error::new(ErrorKind::Server, format!("{}: {message}", to.address()));
    const TLS: &str =
        "Check ssl-mode and ssl-ca: the server offers no TLS, or its certificate is not trusted.";
    match number(&cause) {
        Some(1045 | 1698 | 1862) => error(format!("login refused for user {}", to.user_name()))
            .hint("Set MYSQL_PWD or a line in .my.cnf, and check that this user may log in from here.")
            .source(cause),
        Some(1049) => error(format!("database {} does not exist", to.database_names()))
            .hint("Check the name; a restore creates it with --create."),
        Some(1040 | 1203 | 1226) => error("no connection left".into())
            .hint("Lower --jobs, or raise max_connections on the server.")
            .source(cause),
        Some(1044) => error(format!("no access to database {}", to.database_names()))
            .hint(format!("Grant a right on it to {}, or use another user.", to.user_name()))
            .source(cause),
        Some(_) => error("login failed".into())
            .hint("Look into the server's log, and try again.")
            .source(cause),
        None => match cause {
            mysql_async::Error::Io(mysql_async::IoError::Tls(_))
            | mysql_async::Error::Driver(mysql_async::DriverError::NoClientSslFlagFromServer) => {
                error("TLS refused".into()).hint(TLS).source(cause)
            }
            // What the handshake finds wrong comes as a fault of the connection.
            mysql_async::Error::Io(mysql_async::IoError::Io(ref io))
                if io.kind() == std::io::ErrorKind::InvalidData =>
            {
                error("TLS refused".into()).hint(TLS).source(cause)
            }
            mysql_async::Error::Io(_) => error("can't connect".into())
                .hint("Check host and port, and that the server runs and listens there.")
                .source(cause),
            // Some servers ask users that they don't know by any of the methods that there are.
            mysql_async::Error::Driver(mysql_async::DriverError::UnknownAuthPlugin { ref name }) => {
                let hint = format!(
                    "Check the user's name; if it is right, it logs in by {name}, which is not supported: give it \
                     caching_sha2_password, mysql_native_password or ed25519."
                );
                error(format!("login refused for user {}", to.user_name())).hint(hint)
            }
            _ => error("login failed".into())
                .hint("Check the user's authentication plugin and the TLS settings.")
                .source(cause),
        },
    }
}
