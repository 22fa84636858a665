//! What the server's and the driver's errors mean to us.

use ksnapshot_core::{Error, ErrorKind};
use sqlx::postgres::PgDatabaseError;

use super::connect::Postgres;

/// The SQLSTATE of an error that the server sent.
pub(super) fn sqlstate(cause: &sqlx::Error) -> Option<&str> {
    match cause {
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .map(PgDatabaseError::code),
        _ => None,
    }
}

/// An error in the middle of a session.
pub(super) fn classify(cause: sqlx::Error) -> Error {
    let sqlx::Error::Database(error) = &cause else {
        return match cause {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
                lost().source(cause)
            }
            // A result that is not what was asked for is a fault of ours, not of the connection.
            _ => Error::new(ErrorKind::Failed, "the server's answer can't be read").source(cause),
        };
    };
    let server = error.downcast_ref::<PgDatabaseError>();
    let message = match server.detail() {
        Some(detail) => format!("{} ({detail})", server.message()),
        None => server.message().to_owned(),
    };
    let error = match server.code() {
        // Connection exceptions; the server shuts down, crashed, or some administrator ended us.
        code if code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "57P05") => {
            lost().source(message)
        }
        "53100" => Error::new(ErrorKind::Failed, message).hint("The server's disk is full: make room and try again."),
        // The one refusal that no grant cures: with row_security off, a policy that would hide rows is an error.
        "42501" if server.message().contains("row-level security") => Error::new(ErrorKind::Refused, message)
            .hint("Use a role with BYPASSRLS, or the table's owner: row security would hide rows from this one."),
        "42501" => Error::new(ErrorKind::Refused, message)
            .hint("Grant the missing right to this role, or use one that has it."),
        "57014" => Error::new(ErrorKind::Refused, message)
            .hint("Somebody cancelled the statement, or a limit of the server did; its log tells."),
        "40001" | "40P01" | "55P03" => Error::new(ErrorKind::Conflict, message),
        // The server has no code of its own for two sessions that change one row of a catalog.
        "XX000" if server.message().starts_with("tuple concurrently") => Error::new(ErrorKind::Conflict, message),
        "42P04" | "42P06" | "42P07" | "42710" | "42723" => Error::new(ErrorKind::AlreadyExists, message),
        _ => Error::new(ErrorKind::Refused, message),
    };
    match server.hint() {
        Some(hint) => error.hint(hint.to_owned()),
        None => error,
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Server, "connection to the server lost")
        .hint("Look into the server's log: it was stopped, it crashed, or the network was cut.")
}

/// An error while logging in.
pub(super) fn connecting(cause: sqlx::Error, to: &Postgres) -> Error {
    let error =
        |message: String| Error::new(ErrorKind::Server, format!("{}: {message}", to.address()));
    const TLS: &str = "Check sslmode and sslrootcert: the server offers no TLS, or its certificate is not trusted.";
    // The server's words alone: the driver adds a line of the server's source.
    let said = (cause.as_database_error()).map_or_else(String::new, |e| e.message().to_owned());
    match sqlstate(&cause).map(ToOwned::to_owned).as_deref() {
        Some("28P01" | "28000") => error(format!("login refused for user {}", to.user_name()))
            .hint("Set PGPASSWORD or a line in .pgpass, and check that pg_hba.conf lets this user in from here.")
            .source(said),
        Some("3D000") => error(format!("database {} does not exist", to.database_name()))
            .hint("Check the name; a restore creates it with --create."),
        Some("53300") => error("no connection left".into())
            .hint("Lower --jobs, or raise max_connections on the server.")
            .source(said),
        Some("42501") => error(format!("login failed: {said}"))
            .hint(format!("Grant CONNECT on the database to {}, or use another role.", to.user_name())),
        Some(_) => error(format!("login failed: {said}"))
            .hint("Look into the server's log, and try again."),
        None => match cause {
            sqlx::Error::Tls(_) => error("TLS refused".into()).hint(TLS).source(cause),
            // What the handshake finds wrong comes as a fault of the connection.
            sqlx::Error::Io(ref io) if io.to_string().contains("certificate") => {
                error("TLS refused".into()).hint(TLS).source(cause)
            }
            sqlx::Error::Io(io) => error("can't connect".into())
                .hint("Check host and port, and that the server runs and listens there.")
                .source(io),
            // The driver knows no other word for a method it can't do, or a password that is missing.
            sqlx::Error::Protocol(_) | sqlx::Error::Configuration(_) => error("login failed".into())
                .hint("Set PGPASSWORD or a line in .pgpass, and check which method pg_hba.conf asks for.")
                .source(cause),
            _ => error("login failed".into())
                .hint("Look into the server's log, and try again.")
                .source(cause),
        },
    }
}
